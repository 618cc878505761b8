import type { Mutant } from './list.ts'

const unit = 'tests/unit'

/** Faults of metrics and traces. */
export const metricsMutants: readonly Mutant[] = [
  {
    id: 'close-codes-of-clients-become-series',
    breaks: 'Clients cannot add series, whatever they send.',
    file: 'src/metrics/metrics.prometheus.ts',
    find: "knownCloseCodes.has(code) ? String(code) : 'other'",
    replace: 'String(code)',
    tests: [`${unit}/metrics/exposition.test.ts`],
  },
  {
    id: 'histogram-excludes-its-bound',
    breaks: 'A bucket of a histogram includes its upper bound.',
    file: 'src/metrics/series.ts',
    find: 'value > (bounds[bucket] as number)',
    replace: 'value >= (bounds[bucket] as number)',
    tests: [`${unit}/metrics/series.test.ts`],
  },
  {
    id: 'repeated-messages-are-counted',
    breaks: 'A message that is repeated with its key is stored and counted once.',
    file: 'src/chats/measured-commit.ts',
    find: ' && !outcome.repeated',
    replace: '',
    tests: [`${unit}/metrics/metrics.test.ts`],
  },
  {
    id: 'lost-connections-count-as-cut-off',
    breaks: 'Only clients that read too slowly are counted as cut off.',
    file: 'src/chats/chat-server.ts',
    find: "code === closeCodes['slow-reader'].code && data.isBehind",
    replace: "code === closeCodes['slow-reader'].code",
    tests: [`${unit}/metrics/metrics.test.ts`],
  },
  {
    id: 'slow-readers-are-not-noticed',
    breaks: 'A client that reads too slowly is counted as cut off.',
    file: 'src/chats/chat-server.ts',
    find: 'if (server.publish(to, frame) < 0) scanBacklog()',
    replace: 'server.publish(to, frame)',
    tests: [`${unit}/metrics/metrics.test.ts`],
  },
  {
    id: 'silent-clients-count-as-slow',
    breaks: 'A client that does not respond is not counted as one that reads too slowly.',
    file: 'src/chats/connection-sweep.ts',
    find: "    data.closing ??= 'silent-client'\n",
    replace: '',
    tests: [`${unit}/metrics/metrics.test.ts`],
  },
  {
    id: 'promises-count-as-hits',
    breaks: 'A lookup is counted as a hit only if it found a valid identity.',
    file: 'src/auth/measured-identities.ts',
    find: 'chain(identities.fromCache(token, now), inspect)',
    replace: 'inspect(identities.fromCache(token, now) as never)',
    tests: [`${unit}/metrics/metrics.test.ts`],
  },
  {
    id: 'a-failed-start-keeps-the-port-of-metrics',
    breaks: 'A start that fails leaves no port in use.',
    file: 'src/server.ts',
    find: '    await scrapes?.stop()\n    throw error',
    replace: '    throw error',
    tests: [`${unit}/metrics/exposition.test.ts`],
  },
  {
    id: 'a-broken-storage-breaks-the-scrape',
    breaks: 'A scrape succeeds while the storage fails.',
    file: 'src/metrics/metrics.prometheus.ts',
    find: '    } catch {\n      return {}',
    replace: '    } catch (error) {\n      throw error',
    tests: [`${unit}/metrics/metrics.test.ts`],
  },
  {
    id: 'silent-log-counts-nothing',
    breaks: 'Requests are counted at every log level.',
    file: 'src/http/responses.ts',
    find: '    metrics?.count({ method: request.method, route, startedAt }, status, code)\n    if (logsRequests) writeLine',
    replace:
      '    if (!logsRequests) return\n    metrics?.count({ method: request.method, route, startedAt }, status, code)\n    writeLine',
    tests: [`${unit}/metrics/metrics.test.ts`],
  },
  {
    id: 'trace-leaks-to-the-next-response',
    breaks: 'A response never has the trace of another request.',
    file: 'src/http/responses.ts',
    find: 'if (trace || traced) setOrDelete',
    replace: 'if (trace) setOrDelete',
    tests: [`${unit}/http/trace-context.test.ts`],
  },
  {
    id: 'version-00-of-a-trace-has-more-fields',
    breaks: 'An invalid traceparent is ignored.',
    file: 'src/http/trace-context.ts',
    find: "if (version === '00' && rest !== undefined) return undefined",
    replace: '',
    tests: [`${unit}/http/trace-context.test.ts`],
  },
]
