import type { ReadinessCode } from '../../contract/types.gen.ts'
import { LostStorage } from '../errors.ts'
import type { Pool } from './pool.ts'

/** The state of the database that every node follows. */
export interface FeedState {
  readonly epoch: string
  /** The number of changes to accounts and revocations. */
  readonly accounts: number
  /** The number of deletions of messages. */
  readonly removals: number
  /** The sequence of the newest message. */
  readonly head: number
  readonly isReplica: boolean
  /** Whether changes of rooms were left to the nodes: requests of commands, or the leaving of removed users. */
  readonly hasRoomWork: boolean
  /** See `log_origin` in the migration. */
  readonly origin: string | null
}

/** Reads the state in one statement. */
export const readFeed = (pool: Pool): Promise<FeedState> =>
  pool.attempt(async ({ $client }) => {
    const [row] = await $client`
      select l.epoch, f.accounts::float8 as accounts, f.removals::float8 as removals,
        parley.log_head()::float8 as head, pg_is_in_recovery() as "isReplica", parley.log_origin() as origin,
        exists (select 1 from parley.room_requests) or exists (select 1 from parley.users where leaves_rooms)
          as "hasRoomWork"
      from parley.message_log l, parley.change_feed f`
    if (!row) throw new Error('The tables message_log and change_feed have no rows')
    return row as FeedState
  })

export interface ChangeFeed {
  /** A number that changes with each change of an account or a revocation; see `Users.version`. */
  version(): number
  /** Counts a change by this node, which takes effect here before the feed is read. */
  countOwn(): void
  /** Reads the feed now, for example after a notification. */
  wake(): void
  /** Why requests cannot be served: the feed was not read for a while. Codes of the document. */
  unmet(): readonly ReadinessCode[]
  /** Seconds since the feed was read. */
  age(): number
  close(): void
}

interface ChangeFeedOptions {
  readonly initial: FeedState
  readonly read: () => Promise<FeedState>
  /** Called with each state that was read. */
  readonly onState: (state: FeedState) => void
  /** Called with the first error of an outage, and once with LostStorage. */
  readonly onError: (error: unknown) => void
  /** Monotonic milliseconds. */
  readonly now?: () => number
}

const pollMs = 250

/** Identities that were verified longer ago than the last successful read are not trusted after this time. */
export const maxAgeMs = 750

/** How long a missing read does not make the service unready, so that one lost connection does not. */
const unreadyAfterMs = 2000

/**
 * Follows the feed of changes. It is read four times a second, and at once after a notification. If it could
 * not be read for 750 ms, every call of `version` returns another number, so that no identity is taken from
 * the cache: its account is then read from the database, or the request fails.
 */
export function createChangeFeed(options: ChangeFeedOptions): ChangeFeed {
  const { read, onState, onError, now = () => performance.now() } = options
  let { accounts, isReplica } = options.initial
  let uncached = 0
  let freshAt = now()
  let reading = false
  let again = false
  let failing = false
  let lost = false

  async function readOnce(): Promise<void> {
    const startedAt = now()
    try {
      const state = await read()
      if (closed) return
      accounts = state.accounts
      isReplica = state.isReplica
      freshAt = startedAt
      failing = false
      onState(state)
    } catch (error) {
      // The storage may be found to be lost during an outage.
      const isNew = !failing || (error instanceof LostStorage && !lost)
      lost ||= error instanceof LostStorage
      failing = true
      if (isNew && !closed) onError(error)
    }
  }

  /** One read at a time. A change that is committed during a read needs another one. */
  async function wake(): Promise<void> {
    again = true
    if (reading) return
    reading = true
    while (again && !closed) {
      again = false
      await readOnce()
      if (failing) break
    }
    reading = false
  }

  let closed = false
  const timer = setInterval(wake, pollMs)
  return {
    version() {
      if (now() - freshAt > maxAgeMs) uncached++
      return accounts + uncached
    },
    countOwn: () => void uncached++,
    wake,
    unmet() {
      if (isReplica) return ['storage-read-only']
      if (now() - freshAt < unreadyAfterMs) return []
      return [failing ? 'storage-unreachable' : 'changes-outdated']
    },
    age: () => (now() - freshAt) / 1000,
    close() {
      closed = true
      clearInterval(timer)
    },
  }
}
