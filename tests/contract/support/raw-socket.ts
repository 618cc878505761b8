import { expect as assert } from 'bun:test'
import { connect, type Socket } from 'node:net'
import { contract } from './contract.ts'
import { UPGRADE } from './expected-outcomes.ts'
import type { Service } from './server.ts'
import { checkOpened } from './socket-checks.ts'
import { type Opened, recordTraffic } from './traffic.ts'

export interface RawSocket {
  tcp: Socket
  name: string
  /** The bytes after the handshake. */
  received: Buffer
}

let count = 0

/**
 * Opens a WebSocket connection and returns its TCP socket, for bytes that a WebSocket client would not send.
 *
 * @param upgrade headers of the handshake that differ from the usual ones
 */
export async function openRawSocket(
  service: Service,
  token: string,
  upgrade: Record<string, string> = {},
): Promise<RawSocket> {
  const { address: path, method } = contract.channel
  const headers = { authorization: `Bearer ${token}` }
  const { hostname, port, host } = new URL(service.url)
  const tcp = connect(Number(port), hostname)
  const lines = Object.entries({ host, ...headers, ...UPGRADE, ...upgrade })
  tcp.write(
    `${method} ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`,
  )
  const socket: RawSocket = { tcp, name: `${service.name}-raw-${++count}`, received: Buffer.alloc(0) }
  const opened = Promise.withResolvers<string>()
  tcp.on('error', opened.reject)
  tcp.on('close', () => opened.reject(new Error('The connection ended before the response')))
  let head: string | undefined
  tcp.on('data', (chunk: Buffer) => {
    socket.received = Buffer.concat([socket.received, chunk])
    const end = head === undefined ? socket.received.indexOf('\r\n\r\n') : -1
    if (end < 0) return
    head = socket.received.toString('latin1', 0, end)
    socket.received = socket.received.subarray(end + 4)
    opened.resolve(head)
  })
  const response = await opened.promise
  if (!response.startsWith('HTTP/1.1 101')) throw new Error(`The handshake returned ${response}`)
  const subprotocol = /^sec-websocket-protocol: *(.*)$/im.exec(response)?.[1] ?? ''
  const request = { method, path, query: {}, headers, upgrade }
  const event: Opened = { kind: 'opened', server: service.name, socket: socket.name, request, subprotocol }
  recordTraffic(event)
  assert(checkOpened(contract, event)).toEqual([])
  return socket
}

/** A text frame with arbitrary bytes (RFC 6455, section 5.2). Clients have to mask frames; the mask is zero. */
export function textFrame(bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([0x81, 0x80 | bytes.length, 0, 0, 0, 0]), bytes])
}

/** A frame that is not masked, which clients must not send. */
export function unmaskedFrame(bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([0x81, bytes.length]), bytes])
}

/** A ping frame without a payload, as the server sends it. */
export const PING = Buffer.from([0x89, 0x00])

/** Resolves when `matches` accepts the received bytes, or when the connection has ended. */
export async function receivedBytes(
  socket: RawSocket,
  matches: (bytes: Buffer) => boolean,
): Promise<{ ended: boolean; bytes: Buffer }> {
  const { promise, resolve } = Promise.withResolvers<void>()
  let ended = socket.tcp.destroyed
  const end = () => {
    ended = true
    resolve()
  }
  const check = () => {
    if (ended || matches(socket.received)) resolve()
  }
  socket.tcp.on('data', check).on('end', end).on('close', end).on('error', end)
  check()
  await promise
  return { ended, bytes: socket.received }
}

/** The code and the reason of the final close frame, or 1006 if the connection ends without one. */
export async function closeOf(socket: RawSocket): Promise<{ code: number; reason: string }> {
  const { bytes } = await receivedBytes(socket, () => false)
  const at = bytes.lastIndexOf(0x88)
  if (at < 0) return { code: 1006, reason: '' }
  const length = bytes[at + 1] ?? 0
  return { code: bytes.readUInt16BE(at + 2), reason: bytes.subarray(at + 4, at + 2 + length).toString() }
}
