import { asc, sql } from 'drizzle-orm'
import { ProblemError } from '../contract/problems.ts'
import { StorageUnavailable } from '../storage/errors.ts'
import type { ChangeCounter } from '../storage/sqlite/change-counter.ts'
import type { Queries, RunOnDatabase } from '../storage/sqlite/connection.ts'
import { roomRequests, users } from '../storage/sqlite/schema.ts'
import type { RoomChange, RoomChanges } from './room-changes.ts'
import { prepareRoomStatements } from './room-statements.sqlite.ts'
import { createRoomWrites } from './room-writes.sqlite.ts'
import type { OperatorChange } from './rooms.ts'

const intervalMs = 500
const retryMs = 10_000

interface RoomWorkOptions {
  readonly queries: Queries
  readonly write: RunOnDatabase
  readonly changes: Pick<ChangeCounter, 'version'>
  readonly log: RoomChanges
  /** Called with errors of background work; no request is waiting for it. */
  readonly onError: (error: unknown) => void
}

/**
 * Carries out the changes of rooms that other programs have left to the service: the requests of commands, and
 * the leaving of users whose account was removed. Only the service assigns sequences.
 */
export function startRoomWork({ queries, write, changes, log, onError }: RoomWorkOptions) {
  const statements = prepareRoomStatements(queries)
  const { finishRequest } = createRoomWrites(queries)
  let seen: number | undefined
  let running: Promise<void> | undefined
  let retryAt = 0
  let stopped = false

  /** The change of a request; undefined if its user does not exist any more. */
  function toChange(request: OperatorChange): RoomChange | undefined {
    if (request.kind !== 'create-room') return { ...request, by: null }
    const owner = statements.userByName().get(request.owner)
    return owner
      ? { kind: 'create-room', by: owner, room: request.room, idempotencyKey: undefined }
      : undefined
  }

  async function carryOut(request: OperatorChange): Promise<void> {
    try {
      const change = toChange(request)
      if (change) await log.change(change)
    } catch (error) {
      // What is no longer possible has no effect. After any other failure, the request remains.
      if (!(error instanceof ProblemError) || error instanceof StorageUnavailable) throw error
    }
  }

  async function workOff(): Promise<void> {
    const removed = queries.select({ id: users.id }).from(users).where(sql`${users.leavesRooms}`).all()
    for (const { id } of removed) {
      if (stopped) return
      await log.change({ kind: 'end-account', userId: id })
    }
    for (const { id, request } of queries.select().from(roomRequests).orderBy(asc(roomRequests.id)).all()) {
      if (stopped) return
      await carryOut(JSON.parse(request) as OperatorChange)
      write(() => finishRequest(id))
    }
  }

  /** Resolves when everything that was requested before the call is done, or was left to a later attempt. */
  async function run(): Promise<void> {
    while (running) await running
    running = workOff()
      .catch((error: unknown) => {
        retryAt = performance.now() + retryMs
        seen = undefined
        if (!stopped) onError(error)
      })
      .finally(() => {
        running = undefined
      })
    await running
  }

  function check(): void {
    if (running || performance.now() < retryAt) return
    try {
      const version = changes.version()
      if (version === seen) return
      seen = version
      void run()
    } catch (error) {
      retryAt = performance.now() + retryMs
      onError(error)
    }
  }

  const timer = setInterval(check, intervalMs)
  return {
    /** Carries out now what the removal of an account leaves to do. */
    run,
    stop(): void {
      stopped = true
      clearInterval(timer)
    },
  }
}
