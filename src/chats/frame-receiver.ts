import {
  clientFrames,
  closeCodes,
  disconnectFrame,
  type ErrorFrame,
  isIdempotencyKey,
  type PongFrame,
  pingFrame,
  pingRateLimit,
  type SendFrame,
  type StoredFrame,
  sendFrame,
  sendRateLimit,
} from '../contract/frames.ts'
import { ProblemError, validationFailed } from '../contract/problems.ts'
import type { CloseCodeName } from '../contract/types.gen.ts'
import type { ToProblem } from '../http/error-handler.ts'
import type { Authenticator } from '../http/gate.ts'
import type { RateLimiter, RateLimits } from '../limits/rate-limits.ts'
import { chain, type MaybePromise } from '../maybe-promise.ts'
import { type ChatSocket, sendTo } from './connection.ts'
import type { Connections } from './connections.ts'
import { type MessageLog, type NewMessage, outcomeOf } from './message-log.ts'

interface FrameReceiverOptions {
  readonly messageLog: MessageLog
  readonly authenticator: Pick<Authenticator, 'isCurrent'>
  readonly rateLimits: RateLimits
  readonly toProblem: ToProblem
  readonly connections: Connections
}

/** Handles one text frame. @param now monotonic seconds */
export type ReceiveFrame = (socket: ChatSocket, text: string, now: number) => void

const maxRefusals = closeCodes['rate-limited'].refusals ?? Number.POSITIVE_INFINITY

const pong = JSON.stringify({ event: 'pong' } satisfies PongFrame)

/** The frame's idempotency key if it is valid, even if the rest of the frame is not. */
function keyOf(value: unknown): string | undefined {
  const { idempotencyKey } = (value ?? {}) as { idempotencyKey?: unknown }
  return isIdempotencyKey.Check(idempotencyKey) ? (idempotencyKey as string) : undefined
}

/** Creates the function that handles the frames of all clients. */
export function createFrameReceiver(options: FrameReceiverOptions): ReceiveFrame {
  const { messageLog, authenticator, toProblem, connections } = options
  const sendLimiter = options.rateLimits.limiter(sendRateLimit)
  const pingLimiter = options.rateLimits.limiter(pingRateLimit)

  function refuse(socket: ChatSocket, failure: unknown, idempotencyKey?: string): void {
    const problem = toProblem(failure, crypto.randomUUID())
    const { retryAfterSeconds } = problem.error.options
    const frame: ErrorFrame = {
      event: 'error',
      problem: problem.body,
      ...(idempotencyKey !== undefined && { idempotencyKey }),
      ...(retryAfterSeconds !== undefined && { retryAfter: retryAfterSeconds }),
    }
    sendTo(socket, JSON.stringify(frame))
  }

  /** Closes the connection because of a frame; frames after it are ignored. */
  function end(socket: ChatSocket, name: CloseCodeName): void {
    socket.data.ended = true
    connections.closeAfterPending(socket, name)
  }

  /** Counts a frame and returns whether it is within the limit; if not, sends an error frame. */
  function count(
    socket: ChatSocket,
    limiter: RateLimiter | undefined,
    now: number,
    frame?: unknown,
  ): MaybePromise<boolean> {
    const { data } = socket
    return chain(limiter?.count(data.identity.rateLimitKey, now), (counted) => {
      if (!counted?.exceeded) {
        data.refusals = 0
        return true
      }
      const failure = new ProblemError('rate-limit-exceeded', { retryAfterSeconds: counted.resetSeconds })
      refuse(socket, failure, keyOf(frame))
      data.refusals++
      if (data.refusals >= maxRefusals) end(socket, 'rate-limited')
      return false
    })
  }

  /** Tells a sender that its key was already stored; receivers of a new message learn it from the broadcast. */
  function confirm(socket: ChatSocket, message: NewMessage): void {
    const { id, repeated } = outcomeOf(message)
    if (!repeated || message.idempotencyKey === undefined) return
    const frame: StoredFrame = { event: 'stored', id, idempotencyKey: message.idempotencyKey }
    socket.send(JSON.stringify(frame))
  }

  function settle(socket: ChatSocket, message: NewMessage): void {
    try {
      confirm(socket, message)
    } catch (error) {
      refuse(socket, error, message.idempotencyKey)
    }
    connections.endPending(socket)
  }

  function store(socket: ChatSocket, { message, idempotencyKey }: SendFrame): void {
    const newMessage: NewMessage = { user: socket.data.identity.user, message, idempotencyKey }
    connections.startPending(socket)
    messageLog.append(newMessage).then(
      () => settle(socket, newMessage),
      (error: unknown) => {
        refuse(socket, error, idempotencyKey)
        connections.endPending(socket)
      },
    )
  }

  function accept(socket: ChatSocket, frame: SendFrame): MaybePromise<void> {
    return chain(authenticator.isCurrent(socket.data.identity), (current) => {
      if (current) store(socket, frame)
      else end(socket, 'account-removed')
    })
  }

  /** Handles a frame that follows its schema. */
  function dispatch(socket: ChatSocket, check: unknown, value: unknown): MaybePromise<void> {
    if (check === pingFrame) socket.send(pong)
    else return accept(socket, value as SendFrame)
  }

  function handle(socket: ChatSocket, text: string, now: number): MaybePromise<void> {
    if (socket.data.ended) return
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch (error) {
      return chain(count(socket, sendLimiter, now), (admitted) => {
        if (admitted) refuse(socket, new ProblemError('malformed-json', { cause: error }))
      })
    }
    const { event } = (value ?? {}) as { event?: unknown }
    const check = clientFrames.get(event) ?? sendFrame
    const valid = check.Check(value)
    if (valid && check === disconnectFrame) return end(socket, 'disconnected')
    const limiter = valid && check === pingFrame ? pingLimiter : sendLimiter
    return chain(count(socket, limiter, now, value), (admitted) => {
      if (!admitted) return
      if (valid) return dispatch(socket, check, value)
      refuse(socket, validationFailed(check.Schema(), value), keyOf(value))
    })
  }

  /** Handles a frame. Errors of the checks, such as an unavailable storage, become an error frame. */
  function handleSafely(socket: ChatSocket, text: string, now: number): MaybePromise<void> {
    const onError = (error: unknown) => refuse(socket, error, keyOf(parseOrUndefined(text)))
    try {
      const handled = handle(socket, text, now)
      return handled instanceof Promise ? handled.catch(onError) : handled
    } catch (error) {
      onError(error)
    }
  }

  return (socket, text, now) => {
    const { data } = socket
    const previous = data.receiving
    const handled = previous
      ? previous.then(() => handleSafely(socket, text, now))
      : handleSafely(socket, text, now)
    if (!(handled instanceof Promise)) return
    connections.startPending(socket)
    const receiving = handled.finally(() => {
      if (data.receiving === receiving) data.receiving = undefined
      connections.endPending(socket)
    })
    data.receiving = receiving
  }
}

function parseOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
