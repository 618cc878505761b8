import { nextStep } from './closing.ts'
import {
  type Connection,
  type ConnectionTimes,
  openConnection,
  type WebSocketConstructor,
} from './connection.ts'
import { channelPath, type Schemas, type ServerFrame, type TokenCloseReason } from './contract.gen.ts'
import { isTransient, ParleyError, problemError } from './errors.ts'
import { createEvents } from './events.ts'
import type { Call } from './http.ts'
import { type MessagesOptions, readMessages } from './messages.ts'
import { createOutbox, type SendOptions } from './outbox.ts'
import { listenToPage } from './page-events.ts'
import type { AuthReason, Session } from './session.ts'
import { backoffMs } from './timing.ts'

export type ChatMessage = Schemas['ChatMessage']
export type User = Schemas['User']

export interface ChatOptions extends Partial<ConnectionTimes> {
  /**
   * Where to begin: with new messages (default), with the last stored ones (at most 200), after a message or
   * a `cursor` of an earlier chat, or with all stored messages.
   */
  readonly from?: 'now' | 'beginning' | { readonly last: number } | { readonly after: string }
  /** Messages that may wait to be sent or confirmed; with more, `send` rejects. Default 100. */
  readonly maxQueue?: number
  /** Messages that wait for their confirmation at the same time, at most 9. More than 1 (default) can change their order. */
  readonly window?: number
  /** The first and the longest delay before connecting again. Default 1000 and 60 000. */
  readonly firstDelayMs?: number
  readonly maxDelayMs?: number
}

export type ChatState =
  | { readonly name: 'connecting' }
  /** Connected; the missed messages arrive. */
  | { readonly name: 'catching-up' }
  | { readonly name: 'open' }
  /** Connects again at `until`, in milliseconds since 1970. */
  | { readonly name: 'waiting'; readonly until: number; readonly error: ParleyError | undefined }
  /** Continues when the client has a token. */
  | { readonly name: 'unauthorized'; readonly reason: AuthReason; readonly error: ParleyError | undefined }
  /** Disconnected because a loop is slow, or because the browser keeps the page in its cache. */
  | { readonly name: 'paused'; readonly by: 'reader' | 'page' }
  /** `close` was called, and waits for the messages in flight. */
  | { readonly name: 'closing' }
  | { readonly name: 'closed'; readonly error: ParleyError | undefined }

export interface ChatEvents {
  message: ChatMessage
  state: ChatState
  /** Some of the missed messages are no longer stored. Those that are stored follow. */
  gap: Schemas['GapFrame']
  /** All missed messages have arrived. */
  'caught-up': Schemas['CaughtUpFrame']
  /** A refusal that belongs to no message of this chat. */
  error: ParleyError
}

export interface Chat extends AsyncIterable<ChatMessage>, AsyncDisposable {
  readonly state: ChatState
  /** The user of the token, once the chat has connected. */
  readonly user: User | undefined
  /** The position. Keep it, and begin with `{ after: cursor }` later. */
  readonly cursor: string | undefined
  /** Messages that are not confirmed yet. */
  readonly pending: number
  /** Calls the listener for each event. Returns a function that removes it. */
  on<Name extends keyof ChatEvents>(name: Name, listener: (value: ChatEvents[Name]) => void): () => void
  /** Resolves when the chat is open for the first time. Rejects if it closes before. */
  opened(): Promise<void>
  /** Resolves with the stored message, or rejects with the reason why it is not stored. */
  send(text: string, options?: SendOptions): Promise<ChatMessage>
  messages(options?: MessagesOptions): AsyncGenerator<ChatMessage, void>
  /** Waits for the messages in flight, and disconnects. Those that were not sent reject. */
  close(): Promise<void>
}

interface ChatDependencies {
  readonly base: string
  readonly call: Call
  readonly session: Session
  readonly WebSocket: WebSocketConstructor | undefined
}

/** In no log: the server answers with `gap`, and then with all stored messages. */
const beginning = '0'
/** Ids that are remembered to drop duplicates, which a `gap` can cause. */
const maxRemembered = 1000
const closeTimeoutMs = 5000
/** The longest delay of a timer. */
const maxTimerMs = 2 ** 31 - 1

export function createChat(
  { base, call, session, WebSocket }: ChatDependencies,
  options: ChatOptions = {},
): Chat {
  const { from = 'now', firstDelayMs = 1000, maxDelayMs = 60_000 } = options
  const events = createEvents<ChatEvents>()
  const seen = new Set<string>()
  let state: ChatState = { name: 'connecting' }
  let connection: Connection | undefined
  /** Counts attempts to connect, so that late results of an earlier one are ignored. */
  let epoch = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  let refreshTimer: ReturnType<typeof setTimeout> | undefined
  let failures = 0
  let acceptedAt = 0
  let retryAfterSeconds: number | undefined
  let cursor: string | undefined =
    from === 'beginning' ? beginning : typeof from === 'object' && 'after' in from ? from.after : undefined
  let user: User | undefined
  let owner: object | undefined
  /** The token of the connection, and one that is sent to replace it. */
  let connectionToken: string | undefined
  let offeredToken: string | undefined

  const outbox = createOutbox({
    maxQueue: options.maxQueue ?? 100,
    window: Math.min(options.window ?? 1, 9),
    isOpen: () => state.name === 'open',
    write: (frame) => connection?.send(frame),
    ping: () => connection?.send({ event: 'ping' }),
  })

  function become(next: ChatState): void {
    state = next
    events.emit('state', next)
  }

  function disconnect(): void {
    epoch++
    clearTimeout(timer)
    clearTimeout(refreshTimer)
    connection?.drop()
    connection = undefined
    outbox.disconnected()
  }

  function end(error?: ParleyError): void {
    if (state.name === 'closed') return
    disconnect()
    stopListening()
    unsubscribe()
    become({ name: 'closed', error })
    outbox.rejectAll(error)
  }

  function wait(minimumMs: number, error?: ParleyError): void {
    disconnect()
    const delay = Math.max(minimumMs, backoffMs(failures++, firstDelayMs, maxDelayMs))
    timer = setTimeout(connect, delay)
    become({ name: 'waiting', until: Date.now() + delay, error })
  }

  function becomeUnauthorized(reason: AuthReason, error?: ParleyError): void {
    disconnect()
    become({ name: 'unauthorized', reason, error })
  }

  /** Handles the failure of a request that the chat made. */
  function fail(error: ParleyError, reason: AuthReason): void {
    const { cause } = error
    const original = error.code === 'unauthorized' && cause instanceof ParleyError ? cause : error
    if (isTransient(original)) wait((original.retryAfterSeconds ?? 0) * 1000, original)
    else if (error.code === 'unauthorized' || error.problem?.status === 401) becomeUnauthorized(reason, error)
    else end(error)
  }

  /** Gets a token instead of one that the server has refused. */
  async function authorize(reason: AuthReason): Promise<void> {
    const rejected = connectionToken
    disconnect()
    const started = epoch
    if (session.token === rejected && (reason === 'logged-out' || reason === 'account-removed')) {
      // The user or the operator wanted it. An automatic login would undo it.
      return session.set(undefined, rejected)
    }
    become({ name: 'connecting' })
    try {
      const token = await session.renew(reason, rejected)
      if (epoch !== started) return
      if (token === undefined) becomeUnauthorized(reason)
      else if (failures++ === 0) await connect()
      else wait(0)
    } catch (error) {
      if (epoch === started) fail(error as ParleyError, reason)
    }
  }

  /** Finds out who the user is and where the log ends. */
  async function prepare(started: number): Promise<void> {
    const callOptions = { retries: 0 }
    await session.fresh()
    if (owner !== session.owner) {
      const profile = await call('getProfile', undefined, callOptions)
      if (epoch !== started) return
      // The messages of one user are not sent in the name of another.
      if (user && user.id !== profile.user.id) outbox.rejectAll()
      user = profile.user
      owner = session.owner
    }
    if (cursor !== undefined) return
    const limit = typeof from === 'object' && 'last' in from ? from.last : 1
    const page = await call('listMessages', { limit: Math.max(1, Math.min(limit, 200)) }, callOptions)
    if (epoch !== started) return
    cursor = page.head
    if (typeof from === 'object') for (const message of page.messages.slice(-limit)) receive(message)
    cursor = page.head
  }

  async function connect(): Promise<void> {
    disconnect()
    const started = epoch
    become({ name: 'connecting' })
    try {
      await prepare(started)
      if (epoch !== started) return
      open(session.token as string)
    } catch (caught) {
      if (epoch === started) fail(caught as ParleyError, (caught as ParleyError).code as AuthReason)
    }
  }

  function open(token: string): void {
    connectionToken = token
    connection = openConnection({
      WebSocket: WebSocket ?? (globalThis as unknown as { WebSocket: WebSocketConstructor }).WebSocket,
      url: `${base.replace('http', 'ws')}${channelPath}?after=${encodeURIComponent(cursor as string)}`,
      token,
      connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
      pingAfterMs: options.pingAfterMs ?? 25_000,
      pongTimeoutMs: options.pongTimeoutMs ?? 10_000,
      expectsFrame: () => outbox.inFlight > 0 || state.name === 'catching-up',
      onAccepted() {
        acceptedAt = Date.now()
        become({ name: 'catching-up' })
        keepAuthenticated()
      },
      onFrame(text) {
        handle(JSON.parse(text))
      },
      onEnd: handleEnd,
    })
  }

  /** Renews the token in time, and gives it to the connection. */
  function keepAuthenticated(): void {
    clearTimeout(refreshTimer)
    const { token, refreshAt } = session
    if (token && token !== connectionToken && token !== offeredToken) {
      offeredToken = token
      connection?.send({ event: 'authenticate', token })
    }
    const delay = Math.max(refreshAt - Date.now(), 0)
    if (delay < Number.POSITIVE_INFINITY) {
      refreshTimer = setTimeout(() => session.fresh().then(keepAuthenticated), Math.min(delay, maxTimerMs))
    }
  }

  function handleEnd(code: number, reason: string): void {
    const lasted = Date.now() - acceptedAt
    const wasConnected = state.name === 'catching-up' || state.name === 'open'
    if (state.name === 'closing') return end()
    if (wasConnected && lasted >= maxDelayMs) failures = 0
    const next = nextStep(code, reason, retryAfterSeconds)
    const error = new ParleyError('network', { cause: { code, reason } })
    switch (next.step) {
      case 'authorize':
        return void authorize(reason as TokenCloseReason)
      case 'restart':
        if (cursor === undefined) return end(error)
        cursor = undefined
        return wait(0, error)
      case 'retry-without-frames':
        outbox.rejectAll(error, ({ inFlight }) => inFlight)
        return wait(0, error)
      case 'retry':
        // A connection that was found to be dead is replaced at once.
        if (code === 0 && wasConnected && failures++ === 0) return void connect()
        return wait(next.minimumMs, error)
      default:
        end(error)
    }
  }

  function receive(message: ChatMessage): void {
    cursor = message.id
    if (seen.has(message.id)) return
    seen.add(message.id)
    if (seen.size > maxRemembered) seen.delete(seen.values().next().value as string)
    events.emit('message', message)
    outbox.confirm(message, user?.id)
  }

  /** Gets the message that was stored before with the same key. */
  async function confirmStored({ id, idempotencyKey }: Schemas['StoredFrame']): Promise<void> {
    if (!outbox.has(idempotencyKey)) return
    try {
      outbox.confirm(await call('getMessage', { id }), user?.id)
    } catch (error) {
      if (outbox.has(idempotencyKey)) outbox.fail(idempotencyKey, error as ParleyError)
    }
  }

  function handle(frame: ServerFrame): void {
    switch (frame.event) {
      case 'message':
        return receive(frame)
      case 'gap':
        if (cursor !== beginning) events.emit('gap', frame)
        cursor = frame.cursor
        return
      case 'caught-up':
        cursor = frame.cursor
        if (state.name === 'catching-up') become({ name: 'open' })
        events.emit('caught-up', frame)
        return outbox.flush()
      case 'stored':
        return void confirmStored(frame)
      case 'error': {
        retryAfterSeconds = frame.retryAfter
        const error = problemError(frame.problem, { retryAfterSeconds })
        if (outbox.has(frame.idempotencyKey)) outbox.fail(frame.idempotencyKey, error)
        else events.emit('error', error)
        return
      }
    }
    if ((frame as { event: string }).event === 'authenticated') connectionToken = offeredToken
  }

  /** Continues at once if the chat waits, and checks the connection if it has one. */
  function wake(): void {
    if (state.name === 'waiting') {
      failures = 0
      void connect()
    } else connection?.check()
  }

  const canPause = () => state.name !== 'closed' && state.name !== 'closing' && state.name !== 'unauthorized'
  const resume = (by: 'reader' | 'page') => {
    if (state.name === 'paused' && state.by === by) void connect()
  }
  function pause(by: 'reader' | 'page'): void {
    if (!canPause()) return
    disconnect()
    become({ name: 'paused', by })
  }

  const slowReaders = new Set<object>()
  const stopListening = listenToPage({
    onWake: wake,
    onHide: () => pause('page'),
    onShow: () => resume('page'),
  })
  const unsubscribe = session.subscribe(() => {
    if (!canPause() && state.name !== 'unauthorized') return
    if (!session.token) becomeUnauthorized('logged-out')
    else if (state.name === 'unauthorized') void connect()
    else if (state.name === 'catching-up' || state.name === 'open') {
      // Another user needs another connection.
      if (owner === session.owner) keepAuthenticated()
      else void connect()
    }
  })

  const chat: Chat = {
    get state() {
      return state
    },
    get user() {
      return user
    },
    get cursor() {
      return cursor === beginning ? undefined : cursor
    },
    get pending() {
      return outbox.size
    },
    on: events.on,
    opened: () =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (state.name === 'open') resolve()
          else if (state.name === 'closed') reject(state.error ?? new ParleyError('closed'))
          else return
          off()
        }
        const off = events.on('state', look)
        look()
      }),
    async send(text, sendOptions) {
      if (state.name === 'closed' || state.name === 'closing') throw new ParleyError('closed')
      return outbox.add(text, sendOptions)
    },
    messages(messagesOptions = {}) {
      const reader = {}
      return readMessages(
        chat,
        {
          pause() {
            slowReaders.add(reader)
            pause('reader')
          },
          resume() {
            if (slowReaders.delete(reader) && slowReaders.size === 0) resume('reader')
          },
        },
        messagesOptions,
      )
    },
    [Symbol.asyncIterator]: () => chat.messages(),
    async close() {
      outbox.rejectAll(undefined, ({ written }) => !written)
      if (state.name !== 'open') return end()
      become({ name: 'closing' })
      connection?.send({ event: 'disconnect' })
      const timeout = setTimeout(end, closeTimeoutMs)
      await new Promise<void>((resolve) => {
        const off = events.on('state', () => {
          off()
          resolve()
        })
      })
      clearTimeout(timeout)
    },
    [Symbol.asyncDispose]: () => chat.close(),
  }
  // Later, so that the caller can add listeners first.
  queueMicrotask(connect)
  return chat
}
