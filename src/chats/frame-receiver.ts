import {
  type AuthenticateFrame,
  authenticateFrame,
  authenticateRateLimit,
  clientFrames,
  closeCodes,
  disconnectFrame,
  pingFrame,
  pingRateLimit,
  type SendFrame,
  sendFrame,
  sendRateLimit,
} from '../contract/frames.ts'
import { ProblemError, validationFailed } from '../contract/problems.ts'
import type { CloseCodeName } from '../contract/types.gen.ts'
import type { Validator } from '../contract/validator.ts'
import type { ToProblem } from '../http/error-handler.ts'
import type { Authenticator } from '../http/gate.ts'
import type { Count, RateLimiter, RateLimits } from '../limits/rate-limits.ts'
import { chain, type MaybePromise } from '../maybe-promise.ts'
import { type ChatSocket, framesOf } from './connection.ts'
import type { Connections } from './connections.ts'
import { createFrameReplies, keyOf } from './frame-replies.ts'
import type { MessageLog, NewMessage } from './message-log.ts'

interface FrameReceiverOptions {
  readonly messageLog: MessageLog
  readonly authenticator: Pick<Authenticator, 'validate' | 'identify'>
  readonly rateLimits: RateLimits
  readonly toProblem: ToProblem
  readonly connections: Connections
}

/** Handles one text frame. @param now monotonic seconds */
export type ReceiveFrame = (socket: ChatSocket, text: string, now: number) => void

/** A message with the connection that learns its outcome. */
interface SentMessage extends NewMessage {
  readonly socket: ChatSocket
}

const maxRefusals = closeCodes['rate-limited'].refusals ?? Number.POSITIVE_INFINITY

/**
 * Frames that wait for an asynchronous check take memory: their text, and about as much as this many characters.
 * Beyond the limit, the connection is closed after the frames that wait; the client can resume.
 */
const waitingCost = 500
const maxWaitingCost = 1_000_000

/** Parses a frame. Returns undefined if it is not JSON. */
function parseFrame(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The validator of a frame. A frame without a known event is validated as a message. */
function validatorOf(frame: unknown): Validator {
  const { event } = (frame ?? {}) as { event?: unknown }
  return event === undefined ? sendFrame : (clientFrames().get(event) ?? sendFrame)
}

/** The validator that a frame satisfies, which tells its kind; undefined if the frame is invalid. */
function kindOf(frame: unknown): Validator | undefined {
  const validator = validatorOf(frame)
  return validator.check(frame) ? validator : undefined
}

const invalid = (frame: unknown): ProblemError =>
  frame === undefined
    ? new ProblemError('malformed-json')
    : validationFailed(validatorOf(frame).schema, frame)

/** Creates the function that handles the frames of all clients. */
export function createFrameReceiver(options: FrameReceiverOptions): ReceiveFrame {
  const { messageLog, authenticator, connections } = options
  const replies = createFrameReplies(options.toProblem)
  const sendLimiter = options.rateLimits.limiter(sendRateLimit)
  const pingLimiter = options.rateLimits.limiter(pingRateLimit)
  const authenticateLimiter = options.rateLimits.limiter(authenticateRateLimit)

  /** Every frame that is not a valid one of another kind counts as a message. */
  function limiterOf(kind: Validator | undefined): RateLimiter | undefined {
    if (kind === pingFrame) return pingLimiter
    return kind === authenticateFrame ? authenticateLimiter : sendLimiter
  }

  /** Closes the connection because of a frame; frames after it are ignored. */
  function end(socket: ChatSocket, name: CloseCodeName): void {
    framesOf(socket.data).ended = true
    connections.closeAfterPending(socket, name)
  }

  /** Whether a counted frame is within the limit; if not, sends an error frame. */
  function admit(socket: ChatSocket, counted: Count | undefined, frame: unknown): boolean {
    const frames = framesOf(socket.data)
    if (!counted?.exceeded) {
      frames.refusals = 0
      return true
    }
    const failure = new ProblemError('rate-limit-exceeded', { retryAfterSeconds: counted.resetSeconds })
    replies.refuse(socket, failure, keyOf(frame))
    frames.refusals++
    if (frames.refusals >= maxRefusals) end(socket, 'rate-limited')
    return false
  }

  /** The messages that share the promise of the newest append: one reaction per commit costs less than one each. */
  let waiting: { readonly appended: Promise<void>; readonly messages: SentMessage[] } | undefined

  function settle(messages: readonly SentMessage[], inform: (message: SentMessage) => void): void {
    if (waiting?.messages === messages) waiting = undefined
    for (const message of messages) {
      inform(message)
      connections.endPending(message.socket)
    }
  }

  function store(socket: ChatSocket, { message, idempotencyKey, room }: SendFrame): void {
    const { user } = socket.data.identity
    const sent: SentMessage = { user, message, idempotencyKey, room, outcome: undefined, socket }
    connections.startPending(socket)
    const appended = messageLog.append(sent)
    if (appended === waiting?.appended) {
      waiting.messages.push(sent)
      return
    }
    const messages = [sent]
    waiting = { appended, messages }
    appended.then(
      () => settle(messages, (each) => replies.confirm(each.socket, each)),
      (error: unknown) => settle(messages, (each) => replies.refuse(each.socket, error, each.idempotencyKey)),
    )
  }

  function accept(socket: ChatSocket, frame: SendFrame): MaybePromise<void> {
    const validity = authenticator.validate(socket.data.identity)
    if (validity === 'valid') return store(socket, frame)
    return chain(validity, (later) => {
      if (later === 'valid') store(socket, frame)
      else end(socket, later)
    })
  }

  /** Replaces the token of the connection. If the new one is refused, the connection keeps the old one. */
  async function authenticate(socket: ChatSocket, { token }: AuthenticateFrame): Promise<void> {
    const { data } = socket
    const identity = await authenticator.identify(token)
    if (data.closing !== undefined) return
    if (!identity) return replies.refuse(socket, new ProblemError('invalid-token'))
    if (identity.user.id !== data.identity.user.id) {
      return replies.refuse(socket, new ProblemError('user-mismatch'))
    }
    data.identity = identity
    replies.authenticated(socket, identity.expiresAt)
  }

  /** Handles a frame that is within the limit. */
  function dispatch(socket: ChatSocket, frame: unknown, kind: Validator | undefined): MaybePromise<void> {
    if (!kind) replies.refuse(socket, invalid(frame), keyOf(frame))
    else if (kind === pingFrame) replies.pong(socket)
    else if (kind === authenticateFrame) return authenticate(socket, frame as AuthenticateFrame)
    else return accept(socket, frame as SendFrame)
  }

  function handle(socket: ChatSocket, text: string, now: number): MaybePromise<void> {
    if (framesOf(socket.data).ended) return
    const frame = parseFrame(text)
    const kind = kindOf(frame)
    if (kind === disconnectFrame) return end(socket, 'disconnected')
    const counted = limiterOf(kind)?.count(socket.data.identity.rateLimitKey, now)
    // No closure on the synchronous path, which every message takes.
    if (!(counted instanceof Promise)) {
      return admit(socket, counted, frame) ? dispatch(socket, frame, kind) : undefined
    }
    return counted.then((later) => (admit(socket, later, frame) ? dispatch(socket, frame, kind) : undefined))
  }

  /** An error of a check, such as an unavailable storage, becomes an error frame. */
  const fail = (socket: ChatSocket, text: string, error: unknown) =>
    replies.refuse(socket, error, keyOf(parseFrame(text)))

  function handleSafely(socket: ChatSocket, text: string, now: number): MaybePromise<void> {
    try {
      const handled = handle(socket, text, now)
      return handled instanceof Promise ? handled.catch((error) => fail(socket, text, error)) : handled
    } catch (error) {
      fail(socket, text, error)
    }
  }

  return (socket, text, now) => {
    const frames = framesOf(socket.data)
    const { waiting } = frames
    const cost = text.length + waitingCost
    if (waiting && waiting.cost + cost > maxWaitingCost) {
      // Not refused one by one: frames that the limits have not counted would then fill the log.
      connections.closeAfterPending(socket, 'internal-error')
      return
    }
    const handled = waiting
      ? waiting.last.then(() => handleSafely(socket, text, now))
      : handleSafely(socket, text, now)
    if (!(handled instanceof Promise)) return
    connections.startPending(socket)
    const last = handled.finally(() => {
      queue.cost -= cost
      if (queue.last === last) frames.waiting = undefined
      connections.endPending(socket)
    })
    const queue = waiting ?? { last, cost: 0 }
    queue.last = last
    queue.cost += cost
    frames.waiting = queue
  }
}
