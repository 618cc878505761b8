import type { Clock } from '../clock.ts'
import { openapi } from '../contract/documents.ts'
import type { MetricSources, StorageMeasurements } from './metrics.ts'
import type { Family, Sample } from './series.ts'

interface State {
  readonly sources: MetricSources
  readonly storage: StorageMeasurements
}

type Read = (state: State) => number | undefined

const descriptions: readonly (readonly [name: string, help: string, read: Read])[] = [
  [
    'parley_ready',
    'Whether the service accepts requests, as /readyz says: 1 or 0.',
    ({ sources }) => Number(sources.isReady()),
  ],
  [
    'parley_limits_shared',
    'Whether the limits of all nodes are counted together now: 1 or 0.',
    ({ storage }) => (storage.limitsShared === undefined ? undefined : Number(storage.limitsShared)),
  ],
  ['parley_sockets', 'Open WebSockets.', ({ sources }) => sources.sockets()],
  ['parley_sockets_limit', 'The setting MAX_SOCKETS.', ({ sources }) => sources.maxSockets],
  ['parley_socket_backlog_bytes', 'Bytes that wait for clients.', ({ sources }) => sources.backlogBytes()],
  [
    'parley_password_hashing_running',
    'Passwords that are being hashed or verified.',
    ({ sources }) => sources.hashing().running,
  ],
  [
    'parley_password_hashing_queue',
    'Requests that wait for their password to be hashed.',
    ({ sources }) => sources.hashing().waiting,
  ],
  [
    'parley_password_hashing_queue_limit',
    'Waiting requests beyond which further ones are refused.',
    ({ sources }) => sources.maxHashingQueue,
  ],
  [
    'parley_identity_cache_entries',
    'Verified tokens in the cache.',
    ({ sources }) => sources.cachedIdentities(),
  ],
  [
    'parley_message_positions',
    'Positions from the oldest stored message to the newest, including those of removed messages.',
    ({ storage }) => storage.log?.positions,
  ],
  [
    'parley_oldest_message_timestamp_seconds',
    'When the oldest stored message was sent.',
    ({ storage }) => storage.log?.oldestSentAt && storage.log.oldestSentAt / 1000,
  ],
  [
    'parley_retention_limit_seconds',
    'The setting MESSAGE_RETENTION_DAYS.',
    ({ sources }) => sources.retention.seconds,
  ],
  [
    'parley_retention_limit_messages',
    'The setting MESSAGE_RETENTION_COUNT.',
    ({ sources }) => sources.retention.messages,
  ],
  ['parley_database_size_bytes', 'The size of the database.', ({ storage }) => storage.databaseBytes],
  [
    'parley_database_wal_size_bytes',
    'The size of the write-ahead log of SQLite.',
    ({ storage }) => storage.walBytes,
  ],
  [
    'parley_data_free_bytes',
    'Bytes that can still be written to the file system of DATA_DIR.',
    ({ storage }) => storage.freeBytes,
  ],
  [
    'parley_node_lag_messages',
    'Stored messages that this node has not delivered yet.',
    ({ storage }) => storage.node?.lagMessages,
  ],
  [
    'parley_node_feed_age_seconds',
    'Time since this node has read the changes of the database.',
    ({ storage }) => storage.node?.feedAge,
  ],
]

const plain = (value: number | undefined): Sample[] => (value === undefined ? [] : [{ labels: {}, value }])

/** All reasons have a value, so that an alert ends when a reason does. */
function readinessSamples(state: State | undefined): Sample[] {
  if (!state) return []
  const unmet = new Set<string>(state.sources.unmet())
  return Object.keys(openapi['x-readiness']).map((reason) => ({
    labels: { reason },
    value: Number(unmet.has(reason)),
  }))
}

/**
 * The metrics that are read at a scrape. A value that is not known is missing, as Prometheus expects.
 *
 * @param read returns the state at the time of the scrape; undefined until the service has started
 */
export function stateFamilies(read: () => State | undefined, clock: Clock): Family[] {
  const started = { epoch: clock.epochMs(), monotonic: clock.monotonicMs() }
  const gauges = descriptions.map(([name, help, readFrom]): Family => {
    const samples = () => {
      const state = read()
      return state ? plain(readFrom(state)) : []
    }
    return { name, help, type: 'gauge', samples }
  })
  return [
    ...gauges,
    {
      name: 'parley_readiness_unmet',
      help: 'Whether this reason of /readyz applies: 1 or 0.',
      type: 'gauge',
      samples: () => readinessSamples(read()),
    },
    {
      name: 'parley_node_healings_total',
      help: 'Reads of messages that other nodes have stored and that did not arrive by themselves.',
      type: 'counter',
      samples: () => plain(read()?.storage.node?.healings),
    },
    {
      name: 'parley_engine_reconnects_total',
      help: 'Lost connections to an engine that were replaced.',
      type: 'counter',
      samples: () =>
        Object.entries(read()?.storage.reconnects ?? {}).map(([engine, value]) => ({
          labels: { engine },
          value,
        })),
    },
    {
      name: 'parley_clock_offset_seconds',
      help: 'How far the wall clock has moved against the monotonic clock since the start. It changes when the wall clock jumps.',
      type: 'gauge',
      samples: () =>
        plain((clock.epochMs() - started.epoch - (clock.monotonicMs() - started.monotonic)) / 1000),
    },
    {
      name: 'parley_build_info',
      help: 'The version of the service and of Bun. The value is always 1.',
      type: 'gauge',
      samples: () => [{ labels: { version: openapi.info.version, bun: Bun.version }, value: 1 }],
    },
  ]
}
