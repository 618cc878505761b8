import { explainErrors } from '../contract/explain.ts'
import {
  closeCodes,
  disconnectEvent,
  disconnectFrame,
  type ErrorFrame,
  isIdempotencyKey,
  type SendFrame,
  sendFrame,
  sendRateLimit,
} from '../contract/frames.ts'
import { ProblemError } from '../contract/problems.ts'
import type { ToProblem } from '../http/error-handler.ts'
import type { Authenticator } from '../http/gate.ts'
import type { RateLimits } from '../limits/rate-limits.ts'
import { chain, type MaybePromise } from '../maybe-promise.ts'
import { type ChatSocket, sendTo } from './connection.ts'
import type { Connections } from './connections.ts'
import type { MessageLog } from './message-log.ts'

interface FrameReceiverOptions {
  readonly messageLog: MessageLog
  readonly authenticator: Pick<Authenticator, 'isCurrent'>
  readonly rateLimits: RateLimits
  readonly toProblem: ToProblem
  readonly connections: Connections
}

/** Handles one text frame. @param now seconds since the epoch */
export type ReceiveFrame = (socket: ChatSocket, text: string, now: number) => void

const maxRefusals = closeCodes['rate-limited'].refusals ?? Number.POSITIVE_INFINITY

/** The frame's idempotency key if it is valid, even if the rest of the frame is not. */
function keyOf(value: unknown): string | undefined {
  const { idempotencyKey } = (value ?? {}) as { idempotencyKey?: unknown }
  return isIdempotencyKey.Check(idempotencyKey) ? (idempotencyKey as string) : undefined
}

/** Creates the function that handles the frames of all clients. */
export function createFrameReceiver(options: FrameReceiverOptions): ReceiveFrame {
  const { messageLog, authenticator, toProblem, connections } = options
  const limiter = options.rateLimits.limiter(sendRateLimit)

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

  /** Counts a frame and returns whether it is within the limit; if not, sends an error frame. */
  function count(socket: ChatSocket, now: number, frame?: unknown): MaybePromise<boolean> {
    const { data } = socket
    return chain(limiter?.count(data.identity.rateLimitKey, now), (counted) => {
      if (!counted?.exceeded) {
        data.refusals = 0
        return true
      }
      const failure = new ProblemError('rate-limit-exceeded', { retryAfterSeconds: counted.resetSeconds })
      refuse(socket, failure, keyOf(frame))
      data.refusals++
      if (data.refusals >= maxRefusals) connections.closeAfterPending(socket, 'rate-limited')
      return false
    })
  }

  function store(socket: ChatSocket, { message, idempotencyKey }: SendFrame): void {
    connections.startPending(socket)
    messageLog.append({ user: socket.data.identity.user, message, idempotencyKey }).then(
      () => connections.endPending(socket),
      (error: unknown) => {
        refuse(socket, error, idempotencyKey)
        connections.endPending(socket)
      },
    )
  }

  function accept(socket: ChatSocket, value: unknown): MaybePromise<void> {
    if (!sendFrame.Check(value)) {
      const { event } = (value ?? {}) as { event?: unknown }
      const schema = event === disconnectEvent ? disconnectFrame.Schema() : sendFrame.Schema()
      const errors = explainErrors(schema, value)
      refuse(socket, new ProblemError('validation-failed', { errors }), keyOf(value))
      return
    }
    const frame = value as SendFrame
    return chain(authenticator.isCurrent(socket.data.identity), (current) => {
      if (current) store(socket, frame)
      else connections.closeAfterPending(socket, 'account-removed')
    })
  }

  function handle(socket: ChatSocket, text: string, now: number): MaybePromise<void> {
    if (socket.data.closing !== undefined) return
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch (error) {
      return chain(count(socket, now), (admitted) => {
        if (admitted) refuse(socket, new ProblemError('malformed-json', { cause: error }))
      })
    }
    if (disconnectFrame.Check(value)) return connections.closeAfterPending(socket, 'disconnected')
    return chain(count(socket, now, value), (admitted) => {
      if (admitted) return accept(socket, value)
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
