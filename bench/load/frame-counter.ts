// A WebSocket client (RFC 6455) that does nothing with a text frame but count it: it reads the frame's header
// and skips its payload. A thousand of these in one process cost less than the server that feeds them.

import type { Socket } from 'bun'

export interface FrameCounter {
  /** Text frames received since the upgrade. */
  received: number
  /** Writes bytes as they are; `textFrame` makes them. */
  send: (frames: Uint8Array) => void
  /** Resolves once `received` is at least `count`; rejects when the connection ends before. */
  reach: (count: number) => Promise<void>
  /** Ends the connection at once, without a close frame. */
  end: () => void
}

interface State {
  counter: FrameCounter
  upgraded: boolean
  /** Bytes of a handshake answer or a frame header that has not arrived whole. */
  pending: Buffer | undefined
  /** Payload bytes of the current frame still to come. */
  skip: number
  awaited: { count: number; resolve: () => void; reject: (reason: Error) => void } | undefined
  ended: Error | undefined
  opened: { resolve: (counter: FrameCounter) => void; reject: (reason: Error) => void }
}

export interface Endpoint {
  port: number
  path: string
  /** Sent with the upgrade; none where it is left out. */
  token?: string | undefined
}

const textOpcode = 1
const closeOpcode = 8
const pingOpcode = 9
const pong = Uint8Array.of(0x8a, 0x80, 0, 0, 0, 0)

/** A client frame. The mask of zeros is legal, costs the server the same, and leaves the payload readable. */
export function textFrame(text: string): Buffer {
  const payload = Buffer.from(text)
  const long = payload.length > 125
  const header = Buffer.alloc(long ? 8 : 6)
  header[0] = 0x80 | textOpcode
  header[1] = 0x80 | (long ? 126 : payload.length)
  if (long) header.writeUInt16BE(payload.length, 2)
  return Buffer.concat([header, payload])
}

/** Opens one connection and resolves when the server has answered 101. */
export function openFrameCounter({ port, path, token }: Endpoint): Promise<FrameCounter> {
  const { promise, resolve, reject } = Promise.withResolvers<FrameCounter>()
  const lines = [
    `GET ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('base64')}`,
    ...(token === undefined ? [] : [`Authorization: Bearer ${token}`]),
  ]
  Bun.connect<State>({
    hostname: '127.0.0.1',
    port,
    socket: {
      open: (socket) => {
        socket.data = {
          counter: counterOf(socket),
          upgraded: false,
          pending: undefined,
          skip: 0,
          awaited: undefined,
          ended: undefined,
          opened: { resolve, reject },
        }
        socket.write(`${lines.join('\r\n')}\r\n\r\n`)
      },
      data: (socket, chunk) => {
        if (socket.data.upgraded) readFrames(socket, chunk)
        else readHandshake(socket, chunk)
      },
      close: ({ data }) => {
        data.ended = new Error(`The connection ended after ${data.counter.received} frames`)
        data.opened.reject(data.ended)
        data.awaited?.reject(data.ended)
      },
    },
  }).catch(reject)
  return promise
}

function counterOf(socket: Socket<State>): FrameCounter {
  return {
    received: 0,
    send: (frames) => {
      if (socket.data.ended) throw socket.data.ended
      if (socket.write(frames) !== frames.length) throw new Error('The server does not read')
    },
    reach: (count) => {
      if (socket.data.ended) return Promise.reject(socket.data.ended)
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      socket.data.awaited = { count, resolve, reject }
      settle(socket.data)
      return promise
    },
    end: () => socket.terminate(),
  }
}

function readHandshake(socket: Socket<State>, chunk: Buffer) {
  const state = socket.data
  const bytes = state.pending ? Buffer.concat([state.pending, chunk]) : Buffer.from(chunk)
  const end = bytes.indexOf('\r\n\r\n')
  if (end < 0) {
    state.pending = bytes
    return
  }
  state.pending = undefined
  if (bytes.subarray(0, 12).toString() !== 'HTTP/1.1 101') {
    state.opened.reject(new Error(`No upgrade: ${bytes.toString()}`))
    socket.end()
    return
  }
  state.upgraded = true
  state.opened.resolve(state.counter)
  readFrames(socket, bytes.subarray(end + 4))
}

function readFrames(socket: Socket<State>, chunk: Buffer) {
  const state = socket.data
  const bytes = state.pending ? Buffer.concat([state.pending, chunk]) : chunk
  state.pending = undefined
  let at = state.skip
  while (at < bytes.length) {
    const length = (bytes[at + 1] ?? 0) & 0x7f
    const headerBytes = length < 126 ? 2 : length === 126 ? 4 : 10
    if (at + headerBytes > bytes.length) {
      // The chunk's memory is used again for the next one.
      state.pending = Buffer.from(bytes.subarray(at))
      at = bytes.length
      break
    }
    const opcode = (bytes[at] ?? 0) & 0x0f
    if (opcode === textOpcode) state.counter.received += 1
    else if (opcode === pingOpcode) socket.write(pong)
    else if (opcode === closeOpcode) socket.end()
    at += headerBytes
    if (headerBytes === 2) at += length
    else if (headerBytes === 4) at += bytes.readUInt16BE(at - 2)
    else at += Number(bytes.readBigUInt64BE(at - 8))
  }
  state.skip = at - bytes.length
  if (state.awaited) settle(state)
}

function settle(state: State) {
  if (!state.awaited || state.counter.received < state.awaited.count) return
  const { resolve } = state.awaited
  state.awaited = undefined
  resolve()
}
