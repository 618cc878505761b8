import { refusalsSubprotocol, subprotocol, tokenSubprotocolPrefix } from './contract.gen.ts'

/** The part of a WebSocket that the chat uses. */
export interface WebSocketLike {
  readonly protocol: string
  onopen: ((event: never) => void) | null
  onmessage: ((event: never) => void) | null
  onclose: ((event: never) => void) | null
  onerror: ((event: never) => void) | null
  send(text: string): void
  close(): void
}

export type WebSocketConstructor = new (url: string, protocols: string[]) => WebSocketLike

export interface ConnectionTimes {
  /** Milliseconds until a connection has to be accepted. Default 10 000. */
  readonly connectTimeoutMs?: number
  /** Milliseconds without a frame after which the server is asked whether the connection works. Default 25 000. */
  readonly pingAfterMs?: number
  /** Milliseconds that it has to respond. Default 10 000. */
  readonly pongTimeoutMs?: number
}

interface ConnectionOptions extends ConnectionTimes {
  readonly WebSocket: WebSocketConstructor
  readonly url: string
  readonly token: string
  /** Whether a frame of the server is expected. The connection is then checked earlier. */
  expectsFrame(): boolean
  onAccepted(): void
  onFrame(text: string): void
  /** Called once, unless `drop` was called before. The code is 0 if the connection does not respond. */
  onEnd(code: number, reason: string): void
}

/** One WebSocket. After its end or `drop`, it calls nothing. */
export interface Connection {
  send(frame: string): void
  /** Asks the server whether the connection works. It ends if there is no response. */
  check(): void
  /** Lets go of the WebSocket without waiting for its end, which can take long. */
  drop(): void
}

export const ping = '{"event":"ping"}'

export function openConnection(options: ConnectionOptions): Connection {
  const { connectTimeoutMs = 10_000, pingAfterMs = 25_000, pongTimeoutMs = 10_000 } = options
  const socket = new options.WebSocket(options.url, [
    subprotocol,
    refusalsSubprotocol,
    tokenSubprotocolPrefix + options.token,
  ])
  let heardAt = Date.now()
  /** When the connection counts as dead, unless it is accepted or a frame arrives before. */
  let deadline: number | undefined = heardAt + connectTimeoutMs

  // A page does not see pings of the protocol, and may have slept since the last tick.
  const tick = () => {
    const now = Date.now()
    const silenceMs = options.expectsFrame() ? pongTimeoutMs / 2 : pingAfterMs
    if (deadline === undefined) {
      if (now - heardAt >= silenceMs) connection.check()
    } else if (now >= deadline) end(0, '')
  }
  const ticks = setInterval(tick, pongTimeoutMs / 2)
  const hear = () => {
    heardAt = Date.now()
    deadline = undefined
  }

  const connection: Connection = {
    send: (frame) => socket.send(frame),
    check() {
      if (deadline !== undefined) return
      deadline = Date.now() + pongTimeoutMs
      socket.send(ping)
    },
    drop() {
      clearInterval(ticks)
      socket.onopen = socket.onmessage = socket.onclose = null
      // `ws` reports a connection that is closed before it was opened as an error.
      socket.onerror = () => {}
      socket.close()
    },
  }

  function end(code: number, reason: string): void {
    connection.drop()
    options.onEnd(code, reason)
  }

  socket.onopen = () => {
    // With the other subprotocol, the server explains a refusal by the close frame that follows.
    if (socket.protocol !== subprotocol) return
    hear()
    options.onAccepted()
  }
  socket.onmessage = ({ data }: { data: unknown }) => {
    hear()
    options.onFrame(String(data))
  }
  socket.onerror = () => {}
  socket.onclose = ({ code, reason }: { code: number; reason: string }) => end(code, reason)
  return connection
}
