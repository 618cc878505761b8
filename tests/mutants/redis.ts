import type { Mutant } from './list.ts'

const chats = 'src/chats'
const exchange = `${chats}/range-exchange.redis.ts`
const connection = 'src/storage/redis/connection.ts'
const signedTest = 'tests/unit/chats/signed-ranges.test.ts'
const exchangeTest = 'tests/unit/chats/range-exchange.test.ts'
const sequencerTest = 'tests/unit/chats/sequencer.test.ts'
const connectionTest = 'tests/storage/redis-connection.test.ts'

/** Messages that pass through Redis. */
export const redisMutants: readonly Mutant[] = [
  {
    id: 'unsigned-range-accepted',
    breaks: 'What no node has signed reaches no client.',
    file: `${chats}/signed-ranges.ts`,
    find: 'return a.length === b.length && timingSafeEqual(a, b)',
    replace: 'return a.length === b.length',
    tests: [signedTest],
  },
  {
    id: 'range-of-another-log-accepted',
    breaks: 'The signature includes the log.',
    file: `${chats}/signed-ranges.ts`,
    find: '{scope}`)))',
    replace: '{format}`)))',
    tests: [signedTest],
  },
  {
    id: 'channel-shared-by-all-logs',
    breaks: 'Each log has its own channel.',
    file: `${chats}/signed-ranges.ts`,
    find: '{scope}`)}`',
    replace: '{format}`)}`',
    tests: [signedTest],
  },
  {
    id: 'incomplete-range-sent',
    breaks: 'A range that lacks a message is not sent as if it were complete.',
    file: `${chats}/signed-ranges.ts`,
    find: 'messages.length === 0 || messages.length !== through - previous',
    replace: 'messages.length === 0',
    tests: [signedTest],
  },
  {
    id: 'unbounded-memory-for-redis',
    breaks: 'What Redis does not take is dropped, instead of kept in memory.',
    file: exchange,
    find: ' && outstanding + text.length <= maxOutstandingLength',
    replace: '',
    tests: [exchangeTest],
  },
  {
    id: 'silent-subscription-kept',
    breaks: 'A subscription on which nothing arrives is replaced.',
    file: exchange,
    find: 'performance.now() - heardAt > silentAfterMs',
    replace: 'heardAt < 0',
    tests: [exchangeTest],
  },
  {
    id: 'waits-for-processes-without-redis',
    breaks: 'Messages are read at once if they do not arrive through Redis.',
    file: exchange,
    find: '(session === undefined || sessions.has(session))',
    replace: 'session !== ""',
    tests: [exchangeTest],
  },
  {
    id: 'nothing-read-after-subscribing',
    breaks: 'What was sent before the subscription is read.',
    file: exchange,
    find: '      onConnected: missed,\n',
    replace: '',
    tests: [exchangeTest],
  },
  {
    id: 'failed-delivery-ends-the-process',
    breaks: 'An error of a delivery does not leave the listener, which would end the process.',
    file: exchange,
    find: '            onError(error)\n',
    replace: '            throw error\n',
    tests: [exchangeTest],
  },
  {
    id: 'late-removed-message-kept',
    breaks: 'A message that arrives after its removal is not kept.',
    file: `${chats}/sequencer.ts`,
    find: '      if (message.sequence <= recentStart) continue\n',
    replace: '',
    tests: [sequencerTest],
  },
  {
    id: 'unbounded-memory-after-a-gap',
    breaks: 'The ranges that wait for an earlier one have a bounded length.',
    file: `${chats}/sequencer.ts`,
    find: ' || heldLength + length > maxHeldLength',
    replace: '',
    tests: [sequencerTest],
  },
  {
    id: 'messages-read-that-are-about-to-arrive',
    breaks: 'Messages are not read while every gap closes by itself.',
    file: `${chats}/gap-healer.ts`,
    find: 'if (sequencer.applied() >= target) {',
    replace: 'if (target < 0) {',
    tests: [sequencerTest],
  },
  {
    id: 'unanswered-redis-kept',
    breaks: 'A connection on which a command is not answered is replaced.',
    file: connection,
    find: '        return await withTimeout(work(client), commandMs, late)\n',
    replace: '        return await withTimeout(work(client), commandMs, () => {})\n',
    tests: [connectionTest],
  },
  {
    id: 'redis-lost-for-ever',
    breaks: 'A connection that was lost is opened again.',
    file: connection,
    find: '    retry = setTimeout(open, pauseMs * (0.5 + Math.random()))\n',
    replace: '',
    tests: [connectionTest],
  },
  {
    id: 'redis-outage-reported-again-and-again',
    breaks: 'An outage of Redis is reported once.',
    file: connection,
    find: 'outage ??= report(error)',
    replace: 'outage = report(error)',
    tests: [connectionTest],
  },
]
