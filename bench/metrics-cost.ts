// `bun bench/metrics-cost.ts [batch]` measures in a loop what counting adds to one send, part by part, in nanoseconds of
// processor time. `bench --only metrics` measures the same on a running service, where a send takes about twenty
// microseconds and varies by more than this.
import { measureIdentities } from '../src/auth/measured-identities.ts'
import { measureCommits } from '../src/chats/measured-commit.ts'
import type { NewMessage } from '../src/chats/message-log.ts'
import { sendRateLimit } from '../src/contract/frames.ts'
import { measureRateLimits } from '../src/limits/measured-rate-limits.ts'
import type { RateLimiter, RateLimitKey, RateLimits } from '../src/limits/rate-limits.ts'
import { createPrometheusMetrics } from '../src/metrics/metrics.prometheus.ts'
import { median } from './statistics.ts'

/** Messages in one commit. A lone client has one, and busy ones share a commit. */
const batchSize = Number(process.argv[2] ?? 8)
if (!Number.isSafeInteger(batchSize) || batchSize < 1) throw new Error('batch must be a positive number')

const [rounds, loops] = [15, 1_000_000]
const metrics = createPrometheusMetrics()

/** Nanoseconds of processor time that one call takes. */
function measure(call: () => unknown, count: number): number {
  const before = process.cpuUsage()
  for (let index = 0; index < count; index++) call()
  const { user, system } = process.cpuUsage(before)
  return ((user + system) * 1000) / count
}

/** What `counting` takes longer than `plain`, measured in turns. */
function difference(counting: () => unknown, plain: () => unknown, count = loops): number {
  measure(counting, count)
  measure(plain, count)
  return median(Array.from({ length: rounds }, () => measure(counting, count) - measure(plain, count)))
}

const countResponse = metrics.requests.counter('POST', '/api/chats/send', 200)

const identity = {}
const identities = { fromCache: () => identity } as never
const counted = measureIdentities(identities, metrics.identityLookup)
const uncounted = identities as typeof counted

const limiter = { ...sendRateLimit, count: () => ({ exceeded: false }) }
const limits = { limiter: () => limiter as unknown as RateLimiter } as unknown as RateLimits
const [limited, plainLimited] = [measureRateLimits(limits, metrics.refusals), limits].map(
  (each) => each.limiter(limiter as never) as RateLimiter,
) as [RateLimiter, RateLimiter]
const key = {} as RateLimitKey

const batch = Array.from(
  { length: batchSize },
  () => ({ outcome: { repeated: false } }) as unknown as NewMessage,
)
const commit = () => undefined
const measuredCommit = measureCommits(metrics.log, (message: NewMessage) => message, commit)

const parts = {
  'the response, by operation, status and duration': difference(
    () => countResponse(1.5),
    () => undefined,
  ),
  'the lookup of the identity': difference(
    () => counted.fromCache('', 0),
    () => uncounted.fromCache('', 0),
  ),
  'the rate limit': difference(
    () => limited.count(key, 0),
    () => plainLimited.count(key, 0),
  ),
  [`its share of a commit of ${batchSize}`]:
    difference(() => measuredCommit(batch), commit, loops / batchSize) / batchSize,
  'its deliveries': difference(
    () => metrics.sockets.delivered(10),
    () => undefined,
  ),
}
for (const [name, ns] of Object.entries(parts)) console.log(`${ns.toFixed(1).padStart(7)} ns  ${name}`)
const total = Object.values(parts).reduce((sum, ns) => sum + ns, 0)
console.log(`${total.toFixed(1).padStart(7)} ns  one send`)
