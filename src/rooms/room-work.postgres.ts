import { ProblemError } from '../contract/problems.ts'
import { OutcomeUnknown, StorageUnavailable } from '../storage/errors.ts'
import type { Pool } from '../storage/postgres/pool.ts'
import { queryRows } from '../storage/postgres/rows.ts'
import type { User } from '../users/users.ts'
import type { RoomChange, RoomChanges } from './room-changes.ts'
import type { OperatorChange } from './rooms.ts'

const retryMs = 10_000

interface RoomWorkOptions {
  readonly pool: Pool
  readonly log: RoomChanges
  readonly findUser: (username: string) => Promise<User | undefined>
  /** Called with errors of background work; no request is waiting for it. */
  readonly onError: (error: unknown) => void
}

/** See `RoomAdministration.request`. */
type StoredRequest = OperatorChange & { readonly key: string }

/**
 * Carries out the changes of rooms that are left to the nodes: the requests of commands, and the leaving of users
 * whose account was removed. Several nodes may do it at the same time: a change that was made has no effect again.
 */
export function createRoomWork({ pool, log, findUser, onError }: RoomWorkOptions) {
  let running: Promise<void> | undefined
  let retryAt = Number.NEGATIVE_INFINITY
  let stopped = false

  /** The change of a request; undefined if its user does not exist any more. */
  async function toChange({ key, ...request }: StoredRequest): Promise<RoomChange | undefined> {
    if (request.kind !== 'create-room') return { ...request, by: null }
    const by = await findUser(request.owner)
    return by && { kind: 'create-room', by, room: request.room, idempotencyKey: key }
  }

  async function carryOut(request: StoredRequest): Promise<void> {
    try {
      const change = await toChange(request)
      if (change) await log.change(change)
    } catch (error) {
      // What is no longer possible has no effect. After any other failure, the request remains.
      const isRefusal = error instanceof ProblemError && !(error instanceof StorageUnavailable)
      if (!isRefusal || error instanceof OutcomeUnknown) throw error
    }
  }

  async function workOff(): Promise<void> {
    const removed = await pool.read(({ $client }) =>
      queryRows<{ id: string }>($client, 'select id from parley.users where leaves_rooms'),
    )
    for (const { id } of removed) {
      if (stopped) return
      await log.change({ kind: 'end-account', userId: id })
    }
    const requests = await pool.read(({ $client }) =>
      queryRows<{ id: string; request: string }>(
        $client,
        'select id, request from parley.room_requests order by id',
      ),
    )
    for (const { id, request } of requests) {
      if (stopped) return
      await carryOut(JSON.parse(request) as StoredRequest)
      await pool.write(({ $client }) =>
        queryRows($client, 'delete from parley.room_requests where id = $1::bigint', [id]),
      )
    }
  }

  /** Resolves when everything that was requested before the call is done, or was left to a later attempt. */
  async function run(): Promise<void> {
    while (running) await running
    running = workOff()
      .catch((error: unknown) => {
        retryAt = performance.now() + retryMs
        if (!stopped) onError(error)
      })
      .finally(() => {
        running = undefined
      })
    await running
  }

  return {
    run,
    /** Records that there is something to do. */
    notice(): void {
      if (!running && !stopped && performance.now() >= retryAt) void run()
    },
    stop(): void {
      stopped = true
    },
  }
}
