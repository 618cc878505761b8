import type { Server, WebSocketHandler } from 'bun'
import { nowSeconds } from '../clock.ts'
import { explainErrors } from '../contract/explain.ts'
import {
  closeCodes,
  disconnectEvent,
  disconnectFrame,
  type ErrorFrame,
  isIdempotencyKey,
  maxFrameBytes,
  type SendFrame,
  sendFrame,
  sendRateLimit,
} from '../contract/frames.ts'
import type { CloseCodeName } from '../contract/types.gen.ts'
import { StorageUnavailable } from '../database/storage.ts'
import type { ToProblem } from '../http/failures.ts'
import { ProblemError } from '../http/problems.ts'
import type { RateLimits } from '../limits/rate-limits.ts'
import type { User, Users } from '../users/users.ts'
import type { MessageLog } from './message-log.ts'
import { createReplayer } from './replayer.ts'
import type { ChatSocket, Session } from './session.ts'

const topic = 'chat'
const sweepMs = 1000
const accountsPerSweep = 1000

/** Bun pings an idle peer in time, and closes one that has not answered for so long. */
const idleTimeoutSeconds = 50

interface ChatServerOptions {
  readonly log: MessageLog
  readonly users: Users
  readonly rateLimits: RateLimits
  readonly toProblem: ToProblem
  readonly maxSockets: number
  readonly maxSocketsPerUser: number
  readonly socketBufferBytes: number
}

export interface ChatServer {
  readonly handlers: WebSocketHandler<Session>
  /** From now on the log's messages go out to the sockets of `server`. */
  attach(server: Pick<Server<Session>, 'publish'>): void
  /**
   * Takes a place for a connection, which `handlers.close` gives back.
   *
   * @throws ProblemError sockets-exhausted or too-many-sockets
   */
  reserve(user: User): void
  /** Gives a place back that never became a connection. */
  release(user: User): void
  /** Closes all connections, spread over `seconds` so that their clients do not return all at once. */
  drain(seconds: number): Promise<void>
  close(): void
}

/** The frame's idempotency key, where it has a valid one, whatever else is wrong with it. */
function keyOf(value: unknown): string | undefined {
  const { idempotencyKey } = (value ?? {}) as { idempotencyKey?: unknown }
  return isIdempotencyKey.Check(idempotencyKey) ? (idempotencyKey as string) : undefined
}

export function createChatServer(options: ChatServerOptions): ChatServer {
  const { log, users, toProblem } = options
  const limiter = options.rateLimits.limiter(sendRateLimit)
  const refusalsUntilClose = closeCodes['rate-limited'].refusals ?? Number.POSITIVE_INFINITY
  const sockets = new Set<ChatSocket>()
  const socketsOfUser = new Map<string, number>()
  let reserved = 0

  const replayer = createReplayer({
    log,
    pauseBytes: options.socketBufferBytes / 4,
    onCaughtUp: (socket) => socket.subscribe(topic),
    onFailed(socket, error) {
      toProblem(error, crypto.randomUUID())
      end(socket, 'internal-error')
    },
  })

  /** Closes once what was accepted is settled, so that its sender hears of it. */
  function end(socket: ChatSocket, name: CloseCodeName): void {
    socket.data.closing ??= name
    closeWhenSettled(socket)
  }

  function closeWhenSettled(socket: ChatSocket): void {
    const { closing, pending } = socket.data
    if (closing === undefined || pending > 0) return
    const { code, reason } = closeCodes[closing]
    socket.close(code, reason)
  }

  function refuse(socket: ChatSocket, failure: unknown, idempotencyKey?: string): void {
    const problem = toProblem(failure, crypto.randomUUID())
    const { retryAfterSeconds } = problem.error.options
    const frame: ErrorFrame = {
      event: 'error',
      problem: problem.body,
      ...(idempotencyKey !== undefined && { idempotencyKey }),
      ...(retryAfterSeconds !== undefined && { retryAfter: retryAfterSeconds }),
    }
    socket.send(JSON.stringify(frame))
  }

  /** Whether `frame` is within the limit; if not, the sender has been told. */
  function count(socket: ChatSocket, now: number, frame?: unknown): boolean {
    const { data } = socket
    const counted = limiter?.count(data.identity, now)
    if (!counted?.exceeded) {
      data.refusals = 0
      return true
    }
    const failure = new ProblemError('rate-limit-exceeded', { retryAfterSeconds: counted.resetSeconds })
    refuse(socket, failure, keyOf(frame))
    data.refusals++
    if (data.refusals >= refusalsUntilClose) end(socket, 'rate-limited')
    return false
  }

  function send(socket: ChatSocket, frame: SendFrame): void {
    const { data } = socket
    data.pending++
    const { message, idempotencyKey } = frame
    function settle(): void {
      data.pending--
      closeWhenSettled(socket)
    }
    log.append({ user: data.identity.user, message, idempotencyKey }).then(settle, (error: unknown) => {
      refuse(socket, error, idempotencyKey)
      settle()
    })
  }

  /** Tells the sender what is wrong with its frame, or hands it on. */
  function receive(socket: ChatSocket, text: string, now: number): void {
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch (error) {
      if (count(socket, now)) refuse(socket, new ProblemError('malformed-json', { cause: error }))
      return
    }
    if (disconnectFrame.Check(value)) end(socket, 'disconnected')
    else if (count(socket, now, value)) accept(socket, value)
  }

  function accept(socket: ChatSocket, value: unknown): void {
    if (!sendFrame.Check(value)) {
      const { event } = (value ?? {}) as { event?: unknown }
      const schema = event === disconnectEvent ? disconnectFrame.Schema() : sendFrame.Schema()
      refuse(
        socket,
        new ProblemError('validation-failed', { errors: explainErrors(schema, value) }),
        keyOf(value),
      )
      return
    }
    const frame = value as SendFrame
    try {
      if (users.refresh(socket.data.identity)) send(socket, frame)
      else end(socket, 'account-removed')
    } catch (error) {
      refuse(socket, error, frame.idempotencyKey)
    }
  }

  /** Goes round the sockets, so that an account that was removed is noticed without a stall. */
  let round = sockets.values()

  function checkAccounts(): void {
    for (let checked = 0; checked < accountsPerSweep; checked++) {
      const { value: socket, done } = round.next()
      if (done) {
        round = sockets.values()
        return
      }
      if (!users.refresh(socket.data.identity)) end(socket, 'account-removed')
    }
  }

  function sweepSockets(): void {
    const now = nowSeconds()
    for (const socket of sockets) if (socket.data.identity.expiresAt <= now) end(socket, 'token-expired')
    try {
      checkAccounts()
    } catch (error) {
      if (!(error instanceof StorageUnavailable)) throw error
      // The next sweep asks again.
    }
  }

  const sweep = setInterval(sweepSockets, sweepMs)

  function release({ id }: User): void {
    reserved--
    const left = (socketsOfUser.get(id) ?? 1) - 1
    if (left === 0) socketsOfUser.delete(id)
    else socketsOfUser.set(id, left)
  }

  return {
    handlers: {
      maxPayloadLength: maxFrameBytes,
      backpressureLimit: options.socketBufferBytes,
      // Otherwise Bun drops frames without a word, and the client has a gap that it cannot see.
      closeOnBackpressureLimit: true,
      idleTimeout: idleTimeoutSeconds,
      sendPings: true,
      open(socket) {
        sockets.add(socket)
        if (socket.data.replay) replayer.start(socket)
        else socket.subscribe(topic)
      },
      message(socket, data) {
        if (socket.data.closing !== undefined) return
        const now = nowSeconds()
        if (typeof data !== 'string') end(socket, 'binary-frame')
        else if (socket.data.identity.expiresAt <= now) end(socket, 'token-expired')
        else receive(socket, data, now)
      },
      drain: (socket) => replayer.drained(socket),
      close(socket) {
        socket.data.closing ??= 'disconnected'
        socket.data.replay = undefined
        sockets.delete(socket)
        release(socket.data.identity.user)
      },
    },
    attach(server) {
      log.subscribe(({ frame }) => server.publish(topic, frame))
    },
    reserve({ id }) {
      const ofUser = socketsOfUser.get(id) ?? 0
      if (reserved >= options.maxSockets)
        throw new ProblemError('sockets-exhausted', { retryAfterSeconds: 1 })
      if (ofUser >= options.maxSocketsPerUser)
        throw new ProblemError('too-many-sockets', { retryAfterSeconds: 1 })
      reserved++
      socketsOfUser.set(id, ofUser + 1)
    },
    release,
    async drain(seconds) {
      const all = [...sockets]
      const start = performance.now()
      for (const [index, socket] of all.entries()) {
        const due = start + (seconds * 1000 * index) / all.length
        const wait = due - performance.now()
        if (wait > 1) await Bun.sleep(wait)
        end(socket, 'restart')
      }
    },
    close: () => clearInterval(sweep),
  }
}
