import type { Mutant } from './list.ts'

const chats = 'src/chats'
const storage = 'src/storage/postgres'
const sequencerTest = 'tests/unit/chats/sequencer.test.ts'
const batchesTest = 'tests/unit/chats/numbered-batches.test.ts'
const feedTest = 'tests/unit/storage/change-feed.test.ts'

/** The order of messages from several nodes, lost responses, and the freshness of accounts. */
export const postgresMutants: readonly Mutant[] = [
  {
    id: 'range-after-gap-not-held',
    breaks: 'A message is delivered after all earlier ones, whatever arrives first.',
    file: `${chats}/sequencer.ts`,
    find: '      if (range.previous > applied) {\n        hold(range)\n        return\n      }\n',
    replace: '',
    tests: [sequencerTest],
  },
  {
    id: 'overlapping-range-delivered-again',
    breaks: 'A message that arrives on two ways is delivered once.',
    file: `${chats}/sequencer.ts`,
    find: 'messages.filter(({ sequence }) => sequence > applied)',
    replace: '[...messages]',
    tests: [sequencerTest],
  },
  {
    id: 'recent-messages-with-a-hole',
    breaks: 'Recent messages continue a cursor only if none is missing.',
    file: `${chats}/sequencer.ts`,
    find: 'if (after < recentStart || after > applied) return undefined',
    replace: 'if (after > applied) return undefined',
    tests: [sequencerTest],
  },
  {
    id: 'missed-messages-not-read',
    breaks: 'Messages whose notification was lost are read.',
    file: `${chats}/gap-healer.ts`,
    find: '      sequencer.offer(page)\n',
    replace: '',
    tests: [sequencerTest],
  },
  {
    id: 'second-heal-joins-the-first',
    breaks: 'A read that has begun may miss what is stored during it.',
    file: `${chats}/gap-healer.ts`,
    find: '    if (!running) return start()\n',
    replace: '    if (running) return running\n    if (!running) return start()\n',
    tests: [sequencerTest],
  },
  {
    id: 'retry-with-another-number',
    breaks: 'A batch whose response was lost is not stored twice.',
    file: `${chats}/numbered-batches.ts`,
    find: '      () => options.store(number, batch),\n',
    replace: '      () => options.store(++lastNumber, batch),\n',
    tests: [batchesTest],
  },
  {
    id: 'undecided-batch-not-given-up',
    breaks: 'A batch that arrives late is not stored after a later one.',
    file: `${chats}/numbered-batches.ts`,
    find: '      undecided = number\n',
    replace: '',
    tests: [batchesTest],
  },
  {
    id: 'unknown-outcome-reported-as-not-stored',
    breaks: 'A sender is told that nothing was stored only if nothing was stored.',
    file: `${chats}/numbered-batches.ts`,
    find: "        mayBeStored ||= kind === 'unknown'\n",
    replace: '',
    tests: [batchesTest],
  },
  {
    id: 'stale-accounts-trusted',
    breaks: 'Without a read of the accounts for 750 ms, cached identities do not count.',
    file: `${storage}/change-feed.ts`,
    find: 'if (now() - freshAt > maxAgeMs) uncached++',
    replace: '',
    tests: [feedTest],
  },
  {
    id: 'accounts-fresh-for-ever',
    breaks: 'The age of the accounts is measured from the start of the last successful read.',
    file: `${storage}/change-feed.ts`,
    find: '      freshAt = startedAt\n',
    replace: '      freshAt = Number.POSITIVE_INFINITY\n',
    tests: [feedTest],
  },
]
