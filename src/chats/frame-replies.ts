import { rfc3339 } from '../clock.ts'
import {
  type AuthenticatedFrame,
  type ErrorFrame,
  isIdempotencyKey,
  type PongFrame,
  type StoredFrame,
} from '../contract/frames.ts'
import type { ToProblem } from '../http/error-handler.ts'
import { type ChatSocket, sendTo } from './connection.ts'
import { type NewMessage, outcomeOf } from './message-log.ts'

/** The frame's idempotency key if it is valid, even if the rest of the frame is not. */
export function keyOf(frame: unknown): string | undefined {
  const { idempotencyKey } = (frame ?? {}) as { idempotencyKey?: unknown }
  return isIdempotencyKey.check(idempotencyKey) ? (idempotencyKey as string) : undefined
}

const pong = JSON.stringify({ event: 'pong' } satisfies PongFrame)

/** The frames that only the sender of a frame receives. */
export function createFrameReplies(toProblem: ToProblem) {
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

  return {
    refuse,
    /** @param expiresAt seconds since the epoch */
    authenticated(socket: ChatSocket, expiresAt: number): void {
      const frame: AuthenticatedFrame = { event: 'authenticated', expiresAt: rfc3339(expiresAt) }
      sendTo(socket, JSON.stringify(frame))
    },
    pong: (socket: ChatSocket) => sendTo(socket, pong),
    /** Reports the outcome of an append. A new message needs no report: the sender receives the broadcast. */
    confirm(socket: ChatSocket, message: NewMessage): void {
      try {
        const { id, repeated } = outcomeOf(message)
        if (!repeated || message.idempotencyKey === undefined) return
        const frame: StoredFrame = { event: 'stored', id, idempotencyKey: message.idempotencyKey }
        sendTo(socket, JSON.stringify(frame))
      } catch (error) {
        refuse(socket, error, message.idempotencyKey)
      }
    },
  }
}
