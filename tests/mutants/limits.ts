import type { Mutant } from './list.ts'

const limits = 'src/limits'
const migration = 'src/storage/postgres/migrations/0000_initial/limits.sql'
const countsTest = 'tests/unit/limits/shared-rate-limits.test.ts'
const slotsTest = 'tests/unit/limits/shared-user-slots.test.ts'
const postgresTest = 'tests/storage/shared-limits.test.ts'
const storesTest = 'tests/storage/postgres.test.ts'
const redisTest = 'tests/storage/redis-limits.test.ts'

/** The limits that several nodes share. */
export const limitMutants: readonly Mutant[] = [
  {
    id: 'no-share-of-unconfirmed-requests',
    breaks: 'All nodes together admit at most a tenth more than the quota.',
    file: `${limits}/rate-limits.shared.ts`,
    find: 'Math.floor(left / (10 * Math.max(minNodes, nodes)))',
    replace: 'left',
    tests: [countsTest],
  },
  {
    id: 'share-of-a-single-node',
    breaks: 'The share depends on the number of nodes.',
    file: `${limits}/store-health.ts`,
    find: '    nodes = Math.max(1, state.nodes)\n',
    replace: '',
    tests: [countsTest, slotsTest],
  },
  {
    id: 'lost-batch-with-another-number',
    breaks: 'A batch whose response was lost is not counted twice.',
    file: `${limits}/count-batches.ts`,
    find: 'store.count(batch.number, deltas)',
    replace: 'store.count(++lastNumber, deltas)',
    tests: [countsTest],
  },
  {
    id: 'lost-batch-not-sent-again',
    breaks: 'Requests that were counted during an outage are reported afterwards.',
    file: `${limits}/count-batches.ts`,
    find: '    if (!response) return stopWaiting()\n    current = undefined\n',
    replace: '    current = undefined\n    if (!response) return stopWaiting()\n',
    tests: [countsTest],
  },
  {
    id: 'requests-of-an-ended-window-reported',
    breaks: 'Requests of a window that has ended do not count in the next one.',
    file: `${limits}/count-batches.ts`,
    find: '      if (remaining(counter) === undefined) counter.unsent = 0\n',
    replace: '',
    tests: [countsTest],
  },
  {
    id: 'window-starts-again-after-an-outage',
    breaks: 'A window that began during an outage ends when it would have ended.',
    file: `${limits}/count-batches.ts`,
    find: 'seconds: remaining(counter) ?? counter.window,',
    replace: 'seconds: counter.window,',
    tests: [countsTest],
  },
  {
    id: 'waiting-requests-not-decided',
    breaks: 'A request that waits for the store is decided when the store does not respond.',
    file: `${limits}/count-batches.ts`,
    find: '      for (const decide of decided) decideAlone(counter, decide, true)\n',
    replace: '',
    tests: [countsTest],
  },
  {
    id: 'outage-reported-each-time',
    breaks: 'An outage of the store is reported once.',
    file: `${limits}/store-health.ts`,
    find: '    if (!reported) onLost(error)\n',
    replace: '    onLost(error)\n',
    tests: [countsTest],
  },
  {
    id: 'name-as-key',
    breaks: 'The store contains no address and no name.',
    file: `${limits}/rate-limits.shared.ts`,
    find: 'storeKey = hash(policy, client.name)',
    replace: 'storeKey = policy.concat(client.name)',
    tests: [countsTest],
  },
  {
    id: 'lost-sockets-not-reported-again',
    breaks: 'A store that has lost its data learns of the open sockets.',
    file: `${limits}/user-slots.shared.ts`,
    find: '      for (const holder of holders.values()) changed.add(holder)\n',
    replace: '',
    tests: [slotsTest],
  },
  {
    id: 'failed-claims-forgotten',
    breaks: 'Sockets that close while the store does not respond are reported afterwards.',
    file: `${limits}/user-slots.shared.ts`,
    find: '    for (const holder of taken) changed.add(holder)\n',
    replace: '',
    tests: [slotsTest],
  },
  {
    id: 'postgres-adds-a-batch-twice',
    breaks: 'PostgreSQL adds a repeated batch once.',
    file: migration,
    find: 'case when is_new then n.count else 0 end',
    replace: 'n.count',
    tests: [storesTest],
  },
  {
    id: 'postgres-counts-sockets-of-ended-nodes',
    breaks: 'The sockets of a node that has ended no longer count.',
    file: migration,
    find: ' and n.seen_at > at - p_lifetime;\n    granted',
    replace: ';\n    granted',
    tests: [storesTest],
  },
  {
    id: 'postgres-grants-without-lock',
    breaks: 'Two nodes cannot both take the last socket.',
    file: migration,
    find: '  perform pg_advisory_xact_lock(1885434988, 4);\n',
    replace: '',
    tests: [storesTest, postgresTest],
  },
  {
    id: 'redis-adds-a-batch-twice',
    breaks: 'Redis adds a repeated batch once.',
    file: `${limits}/limit-store.redis.ts`,
    find: '  if is_new then total = total + count end\n',
    replace: '  total = total + count\n',
    tests: [redisTest],
  },
  {
    id: 'redis-window-never-starts-again',
    breaks: 'A window ends.',
    file: `${limits}/limit-store.redis.ts`,
    find: 'local starts = not ends or ends <= at',
    replace: 'local starts = not ends',
    tests: [redisTest],
  },
]
