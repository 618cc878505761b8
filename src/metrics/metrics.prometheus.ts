import { Registry } from 'prom-client'
import { type Clock, systemClock } from '../clock.ts'
import { closeCodes } from '../contract/frames.ts'
import { allOperations } from '../contract/operations.ts'
import { policyNames } from '../contract/policies.ts'
import { catalogue } from '../contract/problems.ts'
import type { MetricSources, Metrics, StorageMeasurements } from './metrics.ts'
import { operationLabel } from './operation-labels.ts'
import { registerProcessMetrics } from './process-metrics.prometheus.ts'
import { createCounter, createHistogram, type Family, type Sample } from './series.ts'
import { stateFamilies } from './state-families.ts'

/** Seconds. A read takes less than a millisecond, a login tens of them, and a failing storage ten seconds. */
const durationBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10]

/** A batch has at most 512 messages. */
const batchBounds = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]

/** The codes with which connections end. A client can send any other code from 1000 to 4999. */
const knownCloseCodes = new Set<number>([
  ...Object.values(closeCodes).map(({ code }) => code),
  ...[1000, 1001, 1002, 1003, 1005, 1006, 1007, 1008, 1009, 1011],
])

/** The outcomes of a login, from the responses of the operation. */
const loginOutcomes: Readonly<Record<string, string>> = {
  none: 'succeeded',
  'invalid-credentials': 'failed',
  'login-throttled': 'throttled',
  'rate-limit-exceeded': 'rate-limited',
  'hashing-overloaded': 'overloaded',
}

function createRequests() {
  const names = ['operation', 'status', 'problem'] as const
  const responses = createCounter(names)
  const durations = createHistogram('parley_http_request_duration_seconds', durationBounds, ['operation'])

  // Present from the start: Prometheus does not see the increase of a series that begins with its first fault.
  for (const { id } of allOperations)
    responses.series(id, String(catalogue['internal-error'].status), 'internal-error')

  function observe(operation: string, status: number, problem: string) {
    const counted = responses.series(operation, String(status), problem)
    const timed = durations.series(operation)
    return (ms: number) => {
      responses.add(counted)
      durations.observe(timed, ms / 1000)
    }
  }

  /** Counted by operation, so that dashboards need not know which problem means what. */
  function logins(): Sample[] {
    const counts = new Map(Object.values(loginOutcomes).map((outcome) => [outcome, 0]))
    for (const { labels, value } of responses.samples()) {
      if (labels.operation !== 'loginUser') continue
      const outcome = loginOutcomes[labels.problem ?? ''] ?? 'error'
      counts.set(outcome, (counts.get(outcome) ?? 0) + value)
    }
    return [...counts].map(([outcome, value]) => ({ labels: { outcome }, value }))
  }

  const families: Family[] = [
    {
      name: 'parley_http_requests_total',
      help: 'Responses, by the operationId of the document, the status, and the code of the problem.',
      type: 'counter',
      samples: responses.samples,
    },
    {
      name: 'parley_http_request_duration_seconds',
      help: 'Time from the arrival of the headers of a request to its response.',
      type: 'histogram',
      samples: durations.samples,
    },
    {
      name: 'parley_logins_total',
      help: 'Attempts to log in, by outcome.',
      type: 'counter',
      samples: logins,
    },
  ]
  const requests: Metrics['requests'] = {
    counter: (method, route, status) => observe(operationLabel(method, route, status), status, 'none'),
    count({ method, route, ms }, status, code) {
      observe(operationLabel(method, route, status), status, code ?? 'none')(ms)
    },
  }
  return { families, requests }
}

function createSockets() {
  const opened = createCounter()
  const closed = createCounter(['code'])
  const slow = createCounter()
  const silent = createCounter()
  const deliveries = createCounter()
  const pages = createCounter()
  const errors = createCounter(['problem'])
  const [one, slowReader, silentClient] = [opened.series(), slow.series(), silent.series()]
  const [delivery, page] = [deliveries.series(), pages.series()]
  const closedBy = (code: number) => closed.series(knownCloseCodes.has(code) ? String(code) : 'other')
  const sockets: Metrics['sockets'] = {
    opened: () => opened.add(one),
    closed(code, reason) {
      closed.add(closedBy(code))
      if (reason === 'slow-reader') slow.add(slowReader)
      else if (reason === 'silent-client') silent.add(silentClient)
    },
    delivered: (count) => deliveries.add(delivery, count),
    replayed(messages) {
      pages.add(page)
      deliveries.add(delivery, messages)
    },
    refused: (code) => errors.add(errors.series(code)),
  }
  const families: Family[] = [
    {
      name: 'parley_sockets_opened_total',
      help: 'WebSockets that were opened.',
      type: 'counter',
      samples: opened.samples,
    },
    {
      name: 'parley_sockets_closed_total',
      help: 'WebSockets that were closed, by the code of the close event; codes that no document names are other.',
      type: 'counter',
      samples: closed.samples,
    },
    {
      name: 'parley_sockets_cut_off_total',
      help: 'WebSockets that were closed because too many bytes waited for the client.',
      type: 'counter',
      samples: slow.samples,
    },
    {
      name: 'parley_sockets_silent_total',
      help: 'WebSockets that were closed because the client did not respond to pings.',
      type: 'counter',
      samples: silent.samples,
    },
    {
      name: 'parley_message_deliveries_total',
      help: 'Messages that were sent to WebSockets, live or in a replay: one for each socket.',
      type: 'counter',
      samples: deliveries.samples,
    },
    {
      name: 'parley_replay_pages_total',
      help: 'Pages of messages that were read for clients that resume.',
      type: 'counter',
      samples: pages.samples,
    },
    {
      name: 'parley_frame_problems_total',
      help: 'Frames of clients that were refused, by the code of the problem.',
      type: 'counter',
      samples: errors.samples,
    },
  ]
  return { families, sockets }
}

function createLog() {
  const appended = createCounter()
  const failures = createCounter()
  const sizes = createHistogram('parley_commit_batch_messages', batchBounds)
  const durations = createHistogram('parley_commit_duration_seconds', durationBounds)
  const [one, failure, size, duration] = [
    appended.series(),
    failures.series(),
    sizes.series(),
    durations.series(),
  ]
  const log: Metrics['log'] = {
    committed(batchSize, added, ms) {
      appended.add(one, added)
      sizes.observe(size, batchSize)
      durations.observe(duration, ms / 1000)
    },
    commitFailed: () => failures.add(failure),
  }
  const families: Family[] = [
    {
      name: 'parley_messages_appended_total',
      help: 'Messages that this process has stored.',
      type: 'counter',
      samples: appended.samples,
    },
    {
      name: 'parley_commit_failures_total',
      help: 'Commits of messages that failed.',
      type: 'counter',
      samples: failures.samples,
    },
    {
      name: 'parley_commit_batch_messages',
      help: 'Messages in one commit.',
      type: 'histogram',
      samples: sizes.samples,
    },
    {
      name: 'parley_commit_duration_seconds',
      help: 'Time that a commit of messages took, with its delivery.',
      type: 'histogram',
      samples: durations.samples,
    },
  ]
  return { families, log }
}

function createLimits() {
  const refusals = createCounter(['policy'])
  // All policies from the start, so that an increase from zero is visible.
  for (const policy of policyNames) refusals.series(policy)
  const lookups = createCounter(['result'])
  const [hit, miss] = [lookups.series('hit'), lookups.series('miss')]
  const background = createCounter()
  const failure = background.series()
  const families: Family[] = [
    {
      name: 'parley_rate_limit_refusals_total',
      help: 'Requests and frames that a rate limit refused, by policy.',
      type: 'counter',
      samples: refusals.samples,
    },
    {
      name: 'parley_identity_cache_lookups_total',
      help: 'Lookups of tokens in the cache of verified identities, by result.',
      type: 'counter',
      samples: lookups.samples,
    },
    {
      name: 'parley_background_failures_total',
      help: 'Errors of work for which no request is waiting, such as retention. The log has their causes.',
      type: 'counter',
      samples: background.samples,
    },
  ]
  return {
    families,
    refusals(policy: string) {
      const series = refusals.series(policy)
      return () => refusals.add(series)
    },
    identityLookup: (isHit: boolean) => lookups.add(isHit ? hit : miss),
    backgroundFailure: () => background.add(failure),
  }
}

/** Counts in typed arrays. prom-client is used only at a scrape, to render the text. */
export function createPrometheusMetrics({ clock = systemClock }: { readonly clock?: Clock } = {}): Metrics {
  const { families: requestFamilies, requests } = createRequests()
  const { families: socketFamilies, sockets } = createSockets()
  const { families: logFamilies, log } = createLog()
  const { families: limitFamilies, ...limits } = createLimits()
  let sources: MetricSources | undefined
  let storage: StorageMeasurements = {}
  const state = () => (sources ? { sources, storage } : undefined)
  const families = [
    ...requestFamilies,
    ...socketFamilies,
    ...logFamilies,
    ...limitFamilies,
    ...stateFamilies(state, clock),
  ]

  const registry = new Registry()
  for (const { name, help, type, samples } of families) {
    const get = async () => ({ name, help, type, values: samples(), aggregator: 'sum' })
    // The registry uses no other property of a metric.
    registry.registerMetric({ name, get } as never)
  }
  registerProcessMetrics(registry)

  /** What the storage cannot tell is missing in the scrape; it must not fail, since it explains the failure. */
  async function measureStorage(): Promise<StorageMeasurements> {
    try {
      return (await sources?.storage()) ?? {}
    } catch {
      return {}
    }
  }

  return {
    requests,
    sockets,
    log,
    ...limits,
    setSources(given) {
      sources = given
    },
    async scrape() {
      storage = await measureStorage()
      return { text: await registry.metrics(), contentType: registry.contentType }
    },
  }
}
