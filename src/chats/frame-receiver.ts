import {
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
import type { ToProblem } from '../http/error-handler.ts'
import type { Authenticator } from '../http/gate.ts'
import type { RateLimiter, RateLimits } from '../limits/rate-limits.ts'
import { chain, type MaybePromise } from '../maybe-promise.ts'
import type { ChatSocket } from './connection.ts'
import type { Connections } from './connections.ts'
import { createFrameReplies, keyOf } from './frame-replies.ts'
import type { MessageLog, NewMessage } from './message-log.ts'

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

/** Creates the function that handles the frames of all clients. */
export function createFrameReceiver(options: FrameReceiverOptions): ReceiveFrame {
  const { messageLog, authenticator, connections } = options
  const replies = createFrameReplies(options.toProblem)
  const sendLimiter = options.rateLimits.limiter(sendRateLimit)
  const pingLimiter = options.rateLimits.limiter(pingRateLimit)

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
      replies.refuse(socket, failure, keyOf(frame))
      data.refusals++
      if (data.refusals >= maxRefusals) end(socket, 'rate-limited')
      return false
    })
  }

  function store(socket: ChatSocket, { message, idempotencyKey }: SendFrame): void {
    const newMessage: NewMessage = { user: socket.data.identity.user, message, idempotencyKey }
    connections.startPending(socket)
    messageLog.append(newMessage).then(
      () => {
        replies.confirm(socket, newMessage)
        connections.endPending(socket)
      },
      (error: unknown) => {
        replies.refuse(socket, error, idempotencyKey)
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
    if (check === pingFrame) replies.pong(socket)
    else return accept(socket, value as SendFrame)
  }

  function handle(socket: ChatSocket, text: string, now: number): MaybePromise<void> {
    if (socket.data.ended) return
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch (error) {
      return chain(count(socket, sendLimiter, now), (admitted) => {
        if (admitted) replies.refuse(socket, new ProblemError('malformed-json', { cause: error }))
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
      replies.refuse(socket, validationFailed(check.Schema(), value), keyOf(value))
    })
  }

  /** Handles a frame. Errors of the checks, such as an unavailable storage, become an error frame. */
  function handleSafely(socket: ChatSocket, text: string, now: number): MaybePromise<void> {
    const onError = (error: unknown) => replies.refuse(socket, error, keyOf(parseOrUndefined(text)))
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
