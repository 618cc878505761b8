import { ping } from './connection.ts'
import { idempotencyKeyPattern, maxMessageLength, type Schemas } from './contract.gen.ts'
import { ParleyError } from './errors.ts'
import { randomKey } from './http.ts'

type ChatMessage = Schemas['ChatMessage']

export interface SendOptions {
  /** Identifies the message. To send it again after a reload of the page, use the same key and text. */
  readonly idempotencyKey?: string
  /** The id of the room, for a chat with `rooms: 'mine'`. Without it, the message is for all users. */
  readonly room?: string | undefined
  /** Stops sending. The message may have been stored nevertheless; see `outcome` of the error. */
  readonly signal?: AbortSignal
}

interface Entry {
  readonly key: string
  readonly text: string
  readonly frame: string
  /** Whether it was ever written to a connection. */
  written: boolean
  /** Whether it waits for a response on the current connection. */
  inFlight: boolean
  /** How often the server failed to store it. */
  failures: number
  resolve(message: ChatMessage): void
  reject(error: ParleyError): void
}

export interface OutboxOptions {
  /** Messages that may wait to be sent or confirmed; with more, `send` rejects. Default 100. */
  readonly maxQueue?: number
  /**
   * Messages that wait for their confirmation at the same time. Default 1; with more, a refusal can change
   * their order. At most 9, because ten refusals in a row close the connection.
   */
  readonly window?: number
}

interface OutboxConnection {
  /** Whether frames can be written. */
  isOpen(): boolean
  write(frame: string): void
}

/** The messages that are not yet confirmed, in order. Each settles exactly once. */
export interface Outbox {
  readonly size: number
  add(text: string, options?: SendOptions): Promise<ChatMessage>
  /** Writes as many frames as the window allows. */
  flush(): void
  /** The connection ended: what was in flight is sent again on the next one. */
  disconnected(): void
  /** Settles the message that a received one confirms. */
  confirm(message: ChatMessage, userId: string | undefined): void
  /**
   * Handles a failure: waits and sends again if it is temporary, and rejects otherwise. Returns whether the
   * key belongs to a message in flight.
   */
  fail(key: string | undefined, error: ParleyError): boolean
  /** Rejects all messages that `matches` accepts. */
  rejectAll(cause?: unknown, matches?: (entry: Entry) => boolean): void
}

/** After that number of internal errors, a message is rejected. */
const maxFailures = 3
const maxWindow = 9

export function createOutbox(
  { maxQueue = 100, window: fullWindow = 1 }: OutboxOptions,
  { isOpen, write }: OutboxConnection,
): Outbox {
  /** By the room and the key, for which the server stores one message of a user. */
  const entries = new Map<string, Entry>()
  let window = fullWindow
  let timer: ReturnType<typeof setTimeout> | undefined

  const nameOf = (key: string | undefined, room = '') => `${room} ${key}`
  const inFlightWith = (key: string | undefined) =>
    [...entries.values()].find((entry) => entry.inFlight && entry.key === key)

  function flush(): void {
    if (timer || !isOpen()) return
    let free = Math.min(window, maxWindow)
    for (const { inFlight } of entries.values()) if (inFlight) free--
    for (const entry of entries.values()) {
      // An error has the key, but not the room: the same key in another room has to wait.
      if (free <= 0 || (!entry.inFlight && inFlightWith(entry.key))) return
      if (entry.inFlight) continue
      free--
      entry.inFlight = entry.written = true
      write(entry.frame)
    }
  }

  /** Sends nothing for a while, and then one message at a time until one succeeds. */
  function pause(ms: number): void {
    window = 1
    clearTimeout(timer)
    timer = setTimeout(() => {
      timer = undefined
      // A ping that is not refused ends a row of refusals, of which ten close the connection.
      if (isOpen()) write(ping)
      flush()
    }, ms)
  }

  const outcomeOf = ({ written }: Entry) => (written ? 'unknown' : 'not-done')

  function add(
    text: string,
    { idempotencyKey: key = randomKey(), room, signal }: SendOptions = {},
  ): Promise<ChatMessage> {
    const frame = JSON.stringify({ event: 'message', message: text, room, idempotencyKey: key })
    const name = nameOf(key, room)
    return new Promise((resolve, reject) => {
      if (entries.size >= maxQueue) throw new ParleyError('queue-full')
      if (entries.has(name)) throw new ParleyError('idempotency-key-reused')
      // The error frame of the server would not repeat an invalid key, and so would belong to no message.
      if (!idempotencyKeyPattern.test(key)) throw new ParleyError('validation-failed')
      // Longer than any valid message, whose characters have at most two units each. The server closes the
      // connection if a frame is much longer.
      if (text.length > 2 * maxMessageLength) throw new ParleyError('content-too-large')
      const abort = () =>
        entry.reject(new ParleyError('aborted', { outcome: outcomeOf(entry), cause: signal?.reason }))
      /** Wraps `resolve` and `reject`, so that the first call removes the entry and later ones do nothing. */
      const once =
        <Value>(settle: (value: Value) => void) =>
        (value: Value) => {
          if (entries.get(name) !== entry) return
          entries.delete(name)
          signal?.removeEventListener('abort', abort)
          settle(value)
          flush()
        }
      const entry: Entry = {
        key,
        text,
        frame,
        written: false,
        inFlight: false,
        failures: 0,
        resolve: once(resolve),
        reject: once(reject),
      }
      entries.set(name, entry)
      signal?.addEventListener('abort', abort)
      if (signal?.aborted) abort()
      flush()
    })
  }

  return {
    get size() {
      return entries.size
    },
    add,
    flush,
    disconnected() {
      for (const entry of entries.values()) entry.inFlight = false
    },
    confirm(message, userId) {
      const entry = entries.get(nameOf(message.idempotencyKey, message.room))
      // Another user may have chosen the same key.
      if (entry?.text !== message.message || message.user.id !== userId) return
      window = fullWindow
      entry.resolve(message)
    },
    fail(key, error) {
      const entry = inFlightWith(key)
      if (!entry) return false
      const { problem, retryAfterSeconds = 1 } = error
      const temporary = !problem || problem.status === 429 || problem.status === 503
      if (temporary || (problem.status === 500 && ++entry.failures < maxFailures)) {
        entry.inFlight = false
        // A random part, so that several clients of one user do not all return at once.
        pause(retryAfterSeconds * 1000 * (1 + Math.random() / 10))
      } else entry.reject(error)
      return true
    },
    rejectAll(cause, matches = () => true) {
      for (const entry of [...entries.values()].filter(matches)) {
        entry.reject(new ParleyError('closed', { outcome: outcomeOf(entry), cause }))
      }
    },
  }
}
