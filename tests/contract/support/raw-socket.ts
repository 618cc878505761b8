import { request } from 'node:http'
import type { Socket } from 'node:net'
import { contract } from './contract.ts'
import type { Service } from './server.ts'

/** Opens a WebSocket connection and returns its TCP socket, for bytes that a WebSocket client would not send. */
export function openRawSocket(service: Service, token: string): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>()
  const handshake = request(service.url + contract.channel.address, {
    headers: {
      authorization: `Bearer ${token}`,
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': Buffer.alloc(16, 'parley').toString('base64'),
    },
  })
  handshake.on('upgrade', (_, socket) => resolve(socket as Socket))
  handshake.on('response', ({ statusCode }) => reject(new Error(`The handshake returned ${statusCode}`)))
  handshake.on('error', reject)
  handshake.end()
  return promise
}

/** A text frame with arbitrary bytes (RFC 6455, section 5.2). Clients have to mask frames; the mask is zero. */
export function textFrame(bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([0x81, 0x80 | bytes.length, 0, 0, 0, 0]), bytes])
}

/** The code and the reason of the final close frame, or 1006 if the connection ends without one. */
export async function closeOf(socket: Socket): Promise<{ code: number; reason: string }> {
  const chunks: Buffer[] = []
  const { promise, resolve } = Promise.withResolvers<void>()
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  socket.on('close', resolve)
  socket.on('end', resolve)
  socket.on('error', () => resolve())
  await promise
  const last = Buffer.concat(chunks)
  const at = last.lastIndexOf(0x88)
  if (at < 0) return { code: 1006, reason: '' }
  const length = last[at + 1] ?? 0
  return { code: last.readUInt16BE(at + 2), reason: last.subarray(at + 4, at + 2 + length).toString() }
}
