import { createLag } from './chats/lag.ts'
import { createEpoch } from './chats/message-ids.ts'
import type { PostgresMessageLog } from './chats/message-log.postgres.ts'
import type { ReadinessCode } from './contract/types.gen.ts'
import { RestartRequired } from './storage/errors.ts'
import {
  type ChangeFeed,
  createChangeFeed,
  type FeedState,
  readFeed,
} from './storage/postgres/change-feed.ts'
import type { PostgresConnection } from './storage/postgres/connection.ts'
import { type Listener, listen } from './storage/postgres/listener.ts'
import { mayLackMessages, type Replication, startEpoch } from './storage/postgres/log-origin.ts'

interface FollowOptions {
  readonly url: string
  readonly connection: PostgresConnection
  readonly initial: FeedState
  readonly messageLog: PostgresMessageLog
  readonly replication: Replication
  /** Called when changes of rooms were left to the nodes. */
  readonly onRoomWork: () => void
  readonly onError: (error: unknown) => void
}

const restartRequired = new RestartRequired(
  'DATABASE_URL: the database was restored or replaced, or has lost messages that clients have received. The log has ' +
    'a new epoch: clients that resume receive a gap and all stored messages. This process ends, and has to be ' +
    'started again.',
)

/** Follows the changes that other nodes and programs make: by notifications and, in any case, by reading. */
export function followPostgres(options: FollowOptions) {
  const { url, connection, initial, messageLog, replication, onRoomWork, onError } = options
  let { removals } = initial
  let lost = false
  const lag = createLag()

  /** @throws RestartRequired if the log is behind what clients have received, for example after a failover */
  async function read(): Promise<FeedState> {
    const applied = messageLog.applied()
    const state = await readFeed(connection.feed)
    // A replica may be late. It becomes the primary with everything that it has received.
    const lostMessages = !state.isReplica && state.head < applied
    const isReplaced = mayLackMessages(initial.origin, state.origin, replication)
    if (state.epoch === initial.epoch && !lostMessages && !isReplaced) return state
    lost = true
    messageLog.refuseAppends(restartRequired)
    // Another node may have done this already.
    await connection.feed.attempt(({ $client }) => startEpoch($client, createEpoch(), initial.epoch))
    throw restartRequired
  }

  const feed: ChangeFeed = createChangeFeed({
    initial,
    read,
    onError,
    onState(state) {
      if (state.removals !== removals) messageLog.forgetRecent(state.head)
      removals = state.removals
      messageLog.hear(state.head)
      lag.see(state.head, messageLog.applied())
      if (state.hasRoomWork) onRoomWork()
      listener.compare(state.head)
    },
  })
  const listener: Listener = listen({
    url,
    onNotification(notification) {
      if (notification.kind === 'head') messageLog.hear(notification.head, notification.session)
      else feed.wake()
    },
    onListening() {
      feed.wake()
    },
  })
  return {
    feed,
    unmet(): readonly ReadinessCode[] {
      if (lost) return ['storage-lost']
      const unmet = feed.unmet()
      if (unmet.length > 0) return unmet
      if (lag.isLate(messageLog.applied())) return ['log-outdated']
      return connection.appends.isFailing() ? ['changes-fail'] : []
    },
    reconnects: listener.reconnects,
    async close() {
      feed.close()
      await listener.close()
    },
  }
}
