import type { Mutant } from './list.ts'

const source = 'client/src'
const tests = 'tests/client'

/** Changes of the client, each of which breaks one promise of its documentation. */
export const clientMutants: readonly Mutant[] = [
  {
    id: 'client-confirms-by-key-alone',
    breaks: 'The message of another user with the same key confirms nothing.',
    file: `${source}/outbox.ts`,
    find: ' || message.user.id !== userId',
    replace: '',
    tests: [`${tests}/chat.test.ts`],
  },
  {
    id: 'client-sends-after-refusals-without-ping',
    breaks: 'The client is never refused so often in a row that its connection is closed.',
    file: `${source}/outbox.ts`,
    find: '      if (isOpen()) write(ping)\n',
    replace: '',
    tests: [`${tests}/outbox.test.ts`],
  },
  {
    id: 'client-repeats-internal-errors-for-ever',
    breaks: 'A message that the server cannot store rejects.',
    file: `${source}/outbox.ts`,
    find: '++entry.failures < maxFailures',
    replace: '++entry.failures > 0',
    tests: [`${tests}/outbox.test.ts`],
  },
  {
    id: 'client-delivers-duplicates',
    breaks: 'A message is delivered once.',
    file: `${source}/position.ts`,
    find: '      if (seen.has(id)) return false\n',
    replace: '',
    tests: [`${tests}/chat.test.ts`],
  },
  {
    id: 'client-does-not-extend-connections',
    breaks: 'A chat outlives its token without a new connection.',
    file: `${source}/chat.ts`,
    find: "      connection.send(JSON.stringify({ event: 'authenticate', token }))\n",
    replace: '',
    tests: [`${tests}/chat-tokens.test.ts`],
  },
  {
    id: 'client-logs-in-after-logout',
    breaks: 'A chat does not log in by itself after a logout.',
    file: `${source}/chat.ts`,
    find: "reason === 'logged-out' || reason === 'account-removed'",
    replace: "reason === 'account-removed'",
    tests: [`${tests}/chat-tokens.test.ts`],
  },
  {
    id: 'client-sends-as-another-user',
    breaks: 'The messages of one user are not sent in the name of another.',
    file: `${source}/chat.ts`,
    find: '        if (user && user.id !== profile.user.id) outbox.rejectAll()\n',
    replace: '',
    tests: [`${tests}/chat-tokens.test.ts`],
  },
  {
    id: 'client-renews-by-a-wrong-clock',
    breaks: 'A wrong clock of the device causes no renewals.',
    file: `${source}/session.ts`,
    find: 'validMs > 0 ?',
    replace: 'validMs !== 0 ?',
    tests: [`${tests}/tokens.test.ts`],
  },
  {
    id: 'client-renews-for-each-call',
    breaks: 'Calls that wait for a token share one login.',
    file: `${source}/session.ts`,
    find: '      renewal ??= renewNow(',
    replace: '      renewal = renewNow(',
    tests: [`${tests}/tokens.test.ts`],
  },
  {
    id: 'client-does-not-repeat-messages',
    breaks: 'A message whose response was lost is sent again.',
    file: `${source}/http.ts`,
    find: "method === 'GET' || flags.includes('i') || id === 'loginUser'",
    replace: "method === 'GET' || id === 'loginUser'",
    tests: [`${tests}/calls.test.ts`],
  },
  {
    id: 'client-repeats-registrations',
    breaks: 'A registration that may have succeeded is not repeated.',
    file: `${source}/http.ts`,
    find: "outcome === 'not-done' || isRepeatable",
    replace: 'outcome !== undefined || isRepeatable',
    tests: [`${tests}/calls.test.ts`],
  },
  {
    id: 'client-waits-for-any-retry-after',
    breaks: 'A call does not wait longer than maxRetryAfterSeconds.',
    file: `${source}/http.ts`,
    find: ' || !isSafe || !isSoon)',
    replace: ' || !isSafe)',
    tests: [`${tests}/calls.test.ts`],
  },
]
