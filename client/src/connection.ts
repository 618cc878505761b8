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
  /** Milliseconds until a connection has to be accepted. */
  readonly connectTimeoutMs: number
  /** Milliseconds without a frame after which the server is asked whether the connection works. */
  readonly pingAfterMs: number
  /** Milliseconds that it has to respond. */
  readonly pongTimeoutMs: number
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
  const { pingAfterMs, pongTimeoutMs } = options
  let heardAt = Date.now()
  let pingedAt: number | undefined
  let accepted = false

  // A page does not see pings of the protocol, and may have slept since the last tick.
  const tick = () => {
    const now = Date.now()
    const silentMs = now - heardAt
    if (!accepted) {
      if (silentMs >= options.connectTimeoutMs) end(0, '')
    } else if (pingedAt !== undefined) {
      if (now - pingedAt >= pongTimeoutMs) end(0, '')
    } else if (silentMs >= (options.expectsFrame() ? pongTimeoutMs / 2 : pingAfterMs)) connection.check()
  }
  const ticks = setInterval(tick, Math.min(options.connectTimeoutMs, pingAfterMs, pongTimeoutMs) / 2)

  const connection: Connection = {
    send: (frame) => socket.send(frame),
    check() {
      if (!accepted || pingedAt !== undefined) return
      pingedAt = Date.now()
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

  const socket = new options.WebSocket(options.url, [
    subprotocol,
    refusalsSubprotocol,
    tokenSubprotocolPrefix + options.token,
  ])
  socket.onopen = () => {
    // With the other subprotocol, the server explains a refusal by the close frame that follows.
    accepted = socket.protocol === subprotocol
    heardAt = Date.now()
    if (accepted) options.onAccepted()
  }
  socket.onmessage = ({ data }: { data: unknown }) => {
    heardAt = Date.now()
    pingedAt = undefined
    options.onFrame(String(data))
  }
  socket.onerror = () => {}
  socket.onclose = ({ code, reason }: { code: number; reason: string }) => end(code, reason)
  return connection
}
