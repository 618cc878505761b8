// The network of one person: everything that passes is written to the wire log, and it can be cut.
import type { Fetch, WebSocketConstructor, WebSocketLike } from '../../../client/src/index.ts'
import { logWire } from './wire.ts'

/** The close code of a connection that ended without a close frame (RFC 6455, section 7.4.1). */
const abnormalClosure = 1006

export interface Network {
  readonly fetch: Fetch
  readonly WebSocket: WebSocketConstructor
  /** Loses the connection, and fails every attempt for a number of milliseconds. */
  cut(milliseconds: number): void
  /** Sends a frame that the client would never send. Returns whether there is a connection. */
  sendRaw(frame: string): boolean
}

export function createNetwork(who: string): Network {
  let cutUntil = 0
  let current: WebSocket | undefined
  let lose = () => {}
  const isCut = () => Date.now() < cutUntil

  const watchedFetch: Fetch = async (url, init) => {
    const { pathname, search } = new URL(url)
    logWire(who, 'up', [`${init.method} ${pathname}${search}`, init.body].filter(Boolean).join(' '))
    if (isCut()) {
      logWire(who, 'end', 'no network')
      throw new TypeError('no network')
    }
    const response = await fetch(url, init)
    const text = await response.clone().text()
    logWire(who, response.ok ? 'down' : 'end', `${response.status} ${text}`)
    return response
  }

  /** A WebSocket that writes its frames to the log. */
  class WatchedSocket implements WebSocketLike {
    onopen: WebSocketLike['onopen'] = null
    onmessage: WebSocketLike['onmessage'] = null
    onclose: WebSocketLike['onclose'] = null
    onerror: WebSocketLike['onerror'] = null
    readonly #socket: WebSocket | undefined

    constructor(url: string, protocols: string[]) {
      const { pathname, search } = new URL(url)
      logWire(who, 'up', `connects to ${pathname}${search}`)
      if (isCut()) {
        setTimeout(() => this.#end(abnormalClosure, 'no network'))
        return
      }
      const socket = new WebSocket(url, protocols)
      this.#socket = socket
      current = socket
      lose = () => {
        this.#detach()
        socket.close()
        this.#end(abnormalClosure, 'the connection was cut')
      }
      socket.onopen = (event) => {
        logWire(who, 'down', `connected, ${socket.protocol}`)
        this.onopen?.(event as never)
      }
      socket.onmessage = (event) => {
        const text = String(event.data)
        logWire(who, text.startsWith('{"event":"error"') ? 'end' : 'down', text)
        this.onmessage?.(event as never)
      }
      socket.onerror = (event) => this.onerror?.(event as never)
      socket.onclose = ({ code, reason }) => this.#end(code, reason)
    }

    get protocol(): string {
      return this.#socket?.protocol ?? ''
    }

    send(frame: string): void {
      if (this.#socket?.readyState !== WebSocket.OPEN) return
      logWire(who, 'up', frame)
      this.#socket.send(frame)
    }

    close(): void {
      this.#detach()
      this.#socket?.close()
    }

    #detach(): void {
      const socket = this.#socket
      if (socket) socket.onopen = socket.onmessage = socket.onclose = socket.onerror = null
      if (current === socket) current = undefined
    }

    #end(code: number, reason: string): void {
      this.#detach()
      logWire(who, 'end', `closed ${code} ${reason}`.trim())
      this.onclose?.({ code, reason } as never)
    }
  }

  return {
    fetch: watchedFetch,
    WebSocket: WatchedSocket,
    cut(milliseconds) {
      cutUntil = Date.now() + milliseconds
      if (current) lose()
    },
    sendRaw(frame) {
      if (current?.readyState !== WebSocket.OPEN) return false
      logWire(who, 'up', frame)
      current.send(frame)
      return true
    },
  }
}
