import { createChat } from './chat.ts'
import type { Chat, ChatOptions } from './chat-types.ts'
import type { WebSocketConstructor } from './connection.ts'
import { type Operations, routes, type Schemas } from './contract.gen.ts'
import type { OperationId } from './errors.ts'
import { type Call, type CallOptions, createCall, type HttpOptions } from './http.ts'
import { readPages } from './pages.ts'
import { type AuthReason, createSession, type TokenStore } from './session.ts'

/** A method for each operation of the document, named after its operationId. */
export type OperationMethods = {
  readonly [Id in OperationId]: undefined extends Operations[Id]['input']
    ? (input?: Operations[Id]['input'], options?: CallOptions) => Promise<Operations[Id]['output']>
    : (input: Operations[Id]['input'], options?: CallOptions) => Promise<Operations[Id]['output']>
}

export interface ClientOptions extends HttpOptions {
  /** Where the token is kept. By default in memory. */
  readonly store?: TokenStore
  /**
   * Called when there is no valid token: log in with `client.loginUser`, or return a token. It is called once
   * for all calls that wait for it. It cannot use operations that need a token.
   */
  readonly onAuthRequired?: (reason: AuthReason, client: Client) => unknown
  /** Milliseconds that `onAuthRequired` may take; then the calls that wait for it reject. Default 30 000. */
  readonly authTimeoutMs?: number
  /** Replaces the global `WebSocket`, for example by that of `ws` in Node 20. */
  readonly WebSocket?: WebSocketConstructor
}

export interface Client extends OperationMethods {
  /** The token, if there is one. */
  readonly token: string | undefined
  /** Replaces the token; without an argument, forgets it. */
  setToken(token?: string): void
  /** The stored messages, a page at a time from the newest page backwards. Each page has the oldest message first. */
  history(
    options?: CallOptions & { before?: string; limit?: number; room?: string },
  ): AsyncGenerator<readonly Schemas['ChatMessage'][], void>
  /** The rooms of the user, or all public rooms, a page at a time. */
  rooms(
    options?: CallOptions & { scope?: 'mine' | 'public'; after?: string; limit?: number },
  ): AsyncGenerator<readonly Schemas['Room'][], void>
  /** The members of a room, a page at a time. */
  members(
    options: CallOptions & { room: string; after?: string; limit?: number },
  ): AsyncGenerator<readonly Schemas['Member'][], void>
  /** Opens a chat, which stays connected until it is closed. */
  chat(options?: ChatOptions): Chat
}

/** @param url the address of the service; a page can use a relative one */
export function createClient(url: string | URL, options: ClientOptions = {}): Client {
  const { location } = globalThis as { location?: { href: string } }
  const base = new URL(url, location?.href).href.replace(/\/$/, '')
  const session = createSession({
    store: options.store,
    refresh: (token): Promise<unknown> => call('refreshToken', undefined, { token }),
    askApplication: (reason) => options.onAuthRequired?.(reason, client),
    authTimeoutMs: options.authTimeoutMs,
  })
  const call: Call = createCall(base, session, options)
  const methods = Object.fromEntries(
    (Object.keys(routes) as OperationId[]).map((id) => [
      id,
      (input: never, callOptions?: CallOptions) => call(id, input, callOptions),
    ]),
  ) as unknown as OperationMethods

  const client: Client = {
    ...methods,
    get token() {
      return session.token
    },
    setToken: (token) => session.set(token ? { token } : undefined),
    history: ({ before, limit, room, ...callOptions } = {}) =>
      readPages(call, 'listMessages', 'messages', 'before', { before, limit, room } as object, callOptions),
    rooms: ({ scope, after, limit, ...callOptions } = {}) =>
      readPages(call, 'listRooms', 'rooms', 'after', { scope, after, limit } as object, callOptions),
    members: ({ room, after, limit, ...callOptions }) =>
      readPages(call, 'listMembers', 'members', 'after', { room, after, limit } as never, callOptions),
    chat: (chatOptions) => createChat({ base, call, session, WebSocket: options.WebSocket }, chatOptions),
  }
  return client
}
