// A WebSocket client (RFC 6455) that only counts text frames: it reads the header of a frame and skips the payload.
// A thousand of these clients in one process use less processor time than the server that sends the frames.

import type { Socket } from 'bun'

export interface FrameCounter {
  /** The number of text frames received. The owner may reset it. */
  received: number
  /** Writes encoded frames, see `textFrame`. */
  send: (frames: Uint8Array) => void
  /** Resolves when `received` is at least `count`; rejects if the connection closes before that. */
  waitForCount: (count: number) => Promise<void>
  /** Closes the connection immediately, without a close frame. */
  close: () => void
}

interface State {
  counter: FrameCounter
  upgraded: boolean
  /** The bytes of an incomplete handshake response or frame header. */
  partial: Buffer | undefined
  /** The number of payload bytes of the current frame that have not arrived yet. */
  bytesToSkip: number
  waiter: { count: number; resolve: () => void; reject: (reason: Error) => void } | undefined
  closeError: Error | undefined
  onOpen: { resolve: (counter: FrameCounter) => void; reject: (reason: Error) => void }
}

export interface Endpoint {
  port: number
  path: string
  /** Sent as `Authorization: Bearer` with the upgrade request. */
  token?: string | undefined
}

const textOpcode = 1
const closeOpcode = 8
const pingOpcode = 9
/** An empty pong. Without a ping, it serves as a heartbeat (RFC 6455, section 5.5.3). */
export const pong = Uint8Array.of(0x8a, 0x80, 0, 0, 0, 0)

/** Encodes a client frame. The mask is zero, which is valid, costs the server the same, and needs no masking here. */
export function textFrame(text: string): Buffer {
  const payload = Buffer.from(text)
  const isExtended = payload.length > 125
  const header = Buffer.alloc(isExtended ? 8 : 6)
  header[0] = 0x80 | textOpcode
  header[1] = 0x80 | (isExtended ? 126 : payload.length)
  if (isExtended) header.writeUInt16BE(payload.length, 2)
  return Buffer.concat([header, payload])
}

/** Opens one connection. Resolves when the server has responded with 101. */
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
          counter: createCounter(socket),
          upgraded: false,
          partial: undefined,
          bytesToSkip: 0,
          waiter: undefined,
          closeError: undefined,
          onOpen: { resolve, reject },
        }
        socket.write(`${lines.join('\r\n')}\r\n\r\n`)
      },
      data: (socket, chunk) => {
        if (socket.data.upgraded) readFrames(socket, chunk)
        else readHandshake(socket, chunk)
      },
      close: ({ data }) => {
        data.closeError = new Error(`The connection closed after ${data.counter.received} frames`)
        data.onOpen.reject(data.closeError)
        data.waiter?.reject(data.closeError)
      },
    },
  }).catch(reject)
  return promise
}

function createCounter(socket: Socket<State>): FrameCounter {
  return {
    received: 0,
    send: (frames) => {
      if (socket.data.closeError) throw socket.data.closeError
      if (socket.write(frames) !== frames.length) throw new Error('The server does not accept more data')
    },
    waitForCount: (count) => {
      if (socket.data.closeError) return Promise.reject(socket.data.closeError)
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      socket.data.waiter = { count, resolve, reject }
      notifyWaiter(socket.data)
      return promise
    },
    close: () => socket.terminate(),
  }
}

function readHandshake(socket: Socket<State>, chunk: Buffer) {
  const state = socket.data
  const bytes = state.partial ? Buffer.concat([state.partial, chunk]) : Buffer.from(chunk)
  const end = bytes.indexOf('\r\n\r\n')
  if (end < 0) {
    state.partial = bytes
    return
  }
  state.partial = undefined
  if (bytes.subarray(0, 12).toString() !== 'HTTP/1.1 101') {
    state.onOpen.reject(new Error(`The server did not upgrade the connection: ${bytes.toString()}`))
    socket.end()
    return
  }
  state.upgraded = true
  state.onOpen.resolve(state.counter)
  readFrames(socket, bytes.subarray(end + 4))
}

function readFrames(socket: Socket<State>, chunk: Buffer) {
  const state = socket.data
  const bytes = state.partial ? Buffer.concat([state.partial, chunk]) : chunk
  state.partial = undefined
  let offset = state.bytesToSkip
  while (offset < bytes.length) {
    const length = (bytes[offset + 1] ?? 0) & 0x7f
    const headerBytes = length < 126 ? 2 : length === 126 ? 4 : 10
    if (offset + headerBytes > bytes.length) {
      // Copy the bytes: Bun reuses the chunk's memory for the next chunk.
      state.partial = Buffer.from(bytes.subarray(offset))
      offset = bytes.length
      break
    }
    const opcode = (bytes[offset] ?? 0) & 0x0f
    if (opcode === textOpcode) state.counter.received += 1
    else if (opcode === pingOpcode) socket.write(pong)
    else if (opcode === closeOpcode) socket.end()
    offset += headerBytes
    if (headerBytes === 2) offset += length
    else if (headerBytes === 4) offset += bytes.readUInt16BE(offset - 2)
    else offset += Number(bytes.readBigUInt64BE(offset - 8))
  }
  state.bytesToSkip = offset - bytes.length
  if (state.waiter) notifyWaiter(state)
}

function notifyWaiter(state: State) {
  if (!state.waiter || state.counter.received < state.waiter.count) return
  const { resolve } = state.waiter
  state.waiter = undefined
  resolve()
}
