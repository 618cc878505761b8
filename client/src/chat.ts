import type { Chat, ChatEvents, ChatOptions, ChatState, User } from './chat-types.ts'
import { nextStep } from './closing.ts'
import { type Connection, openConnection, type WebSocketConstructor } from './connection.ts'
import { channelPath, type ServerFrame } from './contract.gen.ts'
import { type ErrorCode, isTransient, ParleyError } from './errors.ts'
import { createEvents } from './events.ts'
import { createReceiver } from './frames.ts'
import type { Call } from './http.ts'
import { readMessages } from './messages.ts'
import { createOutbox } from './outbox.ts'
import { listenToPage } from './page-events.ts'
import { readPages } from './pages.ts'
import { createPosition } from './position.ts'
import { createRoomList } from './rooms.ts'
import { type AuthReason, never, type Session } from './session.ts'
import { backoffMs } from './timing.ts'

interface ChatDependencies {
  readonly base: string
  readonly call: Call
  readonly session: Session
  readonly WebSocket: WebSocketConstructor | undefined
}

const maxPage = 200
const closeTimeoutMs = 5000
/** Less than timers support. */
const maxTimerMs = 1e9

/** The state machine of a chat. Each function that ends in `become` is a transition. */
export function createChat(
  { base, call, session, WebSocket }: ChatDependencies,
  options: ChatOptions = {},
): Chat {
  const { firstDelayMs = 1000, maxDelayMs = 60_000 } = options
  const events = createEvents<ChatEvents>()
  const position = createPosition(options.from ?? 'now')
  const rooms = createRoomList(
    options.rooms &&
      (() => readPages(call, 'listRooms', 'rooms', 'after', { limit: maxPage }, { retries: 0 })),
    (map) => events.emit('rooms', map),
  )
  /** Who wants the chat to be disconnected for a while: slow readers, and the hidden page. */
  const pauses = new Set<unknown>()
  let state: ChatState = { name: 'connecting' }
  let connection: Connection | undefined
  /** Changes with each transition that ends a connection, so that late results are ignored. */
  let epoch = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  let refreshTimer: ReturnType<typeof setTimeout> | undefined
  /** Failures since the last connection that lasted. */
  let failures = 0
  let acceptedAt = 0
  let retryAfterSeconds: number | undefined
  let restarted = false
  let user: User | undefined
  let owner: object | undefined
  /** The token of the connection, and the one that was sent to replace it. */
  let connectionToken: string | undefined
  let offeredToken: string | undefined

  const outbox = createOutbox(options, {
    isOpen: () => is('open'),
    write: (frame) => connection?.send(frame),
  })

  const is = (...names: ChatState['name'][]) => names.includes(state.name)

  function become(next: ChatState): void {
    state = next
    events.emit('state', next)
  }

  const reached = (...names: ChatState['name'][]) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (!is(...names)) return
        off()
        resolve()
      }
      const off = events.on('state', look)
      look()
    })

  function disconnect(): void {
    epoch++
    clearTimeout(timer)
    clearTimeout(refreshTimer)
    connection?.drop()
    connection = undefined
    outbox.disconnected()
  }

  function end(error?: ParleyError): void {
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

  /** Connects again without a delay, but only once in a row. */
  function retryAtOnce(error?: ParleyError): void {
    if (failures++ === 0) connect()
    else wait(0, error)
  }

  function stopWithoutToken(reason: AuthReason, error?: ParleyError): void {
    disconnect()
    become({ name: 'unauthorized', reason, error })
  }

  function pause(by: unknown): void {
    pauses.add(by)
    if (is('closing', 'closed', 'unauthorized')) return
    disconnect()
    become({ name: 'paused' })
  }

  function resume(by: unknown): void {
    if (pauses.delete(by) && pauses.size === 0 && is('paused')) connect()
  }

  /** Runs the steps that lead to a connection, and handles their failure unless another transition came first. */
  async function attempt(reason: AuthReason | undefined, steps: (isCurrent: () => boolean) => Promise<void>) {
    if (is('closed')) return
    disconnect()
    const started = epoch
    become({ name: 'connecting' })
    try {
      await steps(() => epoch === started)
    } catch (caught) {
      if (epoch !== started) return
      // Another error comes from the application or the runtime, for example if there is no WebSocket.
      const error = caught instanceof ParleyError ? caught : new ParleyError('closed', { cause: caught })
      // The application failed to log in, perhaps only because the server cannot be reached.
      const original =
        error.code === 'unauthorized' && error.cause instanceof ParleyError ? error.cause : error
      if (isTransient(original)) wait((original.retryAfterSeconds ?? 0) * 1000, original)
      else if (error.code === 'unauthorized' || error.problem?.status === 401) {
        stopWithoutToken(reason ?? (error.problem?.code as AuthReason), error)
      } else end(error)
    }
  }

  const connect = () =>
    attempt(undefined, async (isCurrent) => {
      await session.fresh()
      if (owner !== session.owner) {
        const profile = await call('getProfile', undefined, { retries: 0 })
        if (!isCurrent()) return
        // The messages of one user are not sent in the name of another.
        if (user && user.id !== profile.user.id) outbox.rejectAll()
        if (user?.id !== profile.user.id) rooms.invalidate()
        user = profile.user
        owner = session.owner
      }
      for (const message of await position.find(call, isCurrent)) receive(message)
      if (isCurrent()) open(session.token as string)
    })

  /** Gets a token instead of one that the server has refused. */
  function authorize(reason: AuthReason): void {
    if (session.token !== connectionToken) {
      connect()
    } else if (reason === 'logged-out' || reason === 'account-removed') {
      // The user or the operator wanted it, and an automatic login would undo it.
      stopWithoutToken(reason)
      session.forget()
    } else {
      attempt(reason, async (isCurrent) => {
        const token = await session.renew(reason, connectionToken)
        if (!isCurrent()) return
        if (token === undefined) stopWithoutToken(reason)
        else retryAtOnce()
      })
    }
  }

  function open(token: string): void {
    connectionToken = token
    connection = openConnection({
      ...options,
      WebSocket: WebSocket ?? (globalThis as unknown as { WebSocket: WebSocketConstructor }).WebSocket,
      url: `${base.replace('http', 'ws')}${channelPath}?after=${position.cursor}${options.rooms ? '&rooms=mine' : ''}`,
      token,
      expectsFrame: () => outbox.size > 0 || is('catching-up'),
      onAccepted() {
        acceptedAt = Date.now()
        become({ name: 'catching-up' })
        keepAuthenticated()
      },
      onFrame: handleFrame,
      onEnd: handleEnd,
    })
  }

  /** Renews the token in time, and gives it to the connection. */
  function keepAuthenticated(): void {
    clearTimeout(refreshTimer)
    if (!connection) return
    const { token, refreshAt } = session
    if (token && token !== connectionToken && token !== offeredToken) {
      offeredToken = token
      connection.send(JSON.stringify({ event: 'authenticate', token }))
    }
    if (refreshAt < never) {
      const delay = Math.min(refreshAt - Date.now(), maxTimerMs)
      refreshTimer = setTimeout(() => session.fresh().then(keepAuthenticated), delay)
    }
  }

  function handleEnd(code: number, reason: string): void {
    const wasConnected = is('catching-up', 'open')
    if (wasConnected && Date.now() - acceptedAt >= maxDelayMs) failures = 0
    const next = nextStep(code, reason, retryAfterSeconds)
    // The reason of a refusal is a problem code.
    const cause = { code, reason }
    const error = new ParleyError(((!wasConnected && reason) || 'network') as ErrorCode, { cause })
    if (is('closing')) end()
    else if (next === 'authorize') authorize(reason as AuthReason)
    else if (next === 'stop' || (next === 'restart' && restarted)) end(error)
    // A connection that was found to be dead is replaced at once.
    else if (code === 0 && wasConnected) retryAtOnce(error)
    else {
      if (next === 'restart') {
        restarted = true
        position.moveTo(undefined)
        rooms.invalidate()
      }
      if (next === 'discard') outbox.rejectAll(error, ({ inFlight }) => inFlight)
      wait(Number(next) || 0, error)
    }
  }

  const receive = createReceiver(call, events, outbox, position, rooms, () => user)

  function handleFrame(text: string): void {
    const frame = JSON.parse(text) as ServerFrame
    const { event } = frame
    if (event === 'authenticated') connectionToken = offeredToken
    if (event === 'error') retryAfterSeconds = frame.retryAfter
    receive(frame)
    if (event === 'caught-up') {
      const loading = rooms.load()
      if (!loading) catchUp(frame)
      else {
        const started = epoch
        loading.then(
          () => epoch === started && catchUp(frame),
          (error) => epoch === started && wait(0, error),
        )
      }
    }
  }

  function catchUp(frame: ChatEvents['caught-up']): void {
    if (is('catching-up')) become({ name: 'open' })
    events.emit('caught-up', frame)
    outbox.flush()
  }

  const stopListening = listenToPage({
    onWake() {
      if (is('waiting')) {
        failures = 0
        connect()
      }
      resume('page')
      connection?.check()
    },
    onHide: () => pause('page'),
  })
  const unsubscribe = session.subscribe(() => {
    if (!session.token) {
      if (!is('closing', 'unauthorized')) stopWithoutToken('logged-out')
    } else if (is('unauthorized')) connect()
    else if (is('catching-up', 'open')) {
      // Another user needs another connection.
      if (owner === session.owner) keepAuthenticated()
      else connect()
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
      return position.isBeginning ? undefined : position.cursor
    },
    rooms: rooms.map,
    get pending() {
      return outbox.size
    },
    on: events.on,
    async opened() {
      await reached('open', 'closed')
      if (state.name === 'closed') throw state.error ?? new ParleyError('closed')
    },
    async send(text, sendOptions) {
      if (is('closing', 'closed')) throw new ParleyError('closed')
      // Its confirmation would not arrive.
      if (sendOptions?.room && !options.rooms) throw new ParleyError('not-found')
      return outbox.add(text, sendOptions)
    },
    messages: (messagesOptions = {}) => readMessages(chat, messagesOptions, pause, resume),
    [Symbol.asyncIterator]: () => chat.messages(),
    async close() {
      outbox.rejectAll(undefined, ({ written }) => !written)
      if (is('open')) {
        become({ name: 'closing' })
        connection?.send('{"event":"disconnect"}')
        timer = setTimeout(() => end(), closeTimeoutMs)
      } else if (!is('closing', 'closed')) end()
      await reached('closed')
    },
    [Symbol.asyncDispose]: () => chat.close(),
  }
  // Later, so that the caller can add listeners first.
  queueMicrotask(connect)
  return chat
}
