import { collectDefaultMetrics, Registry } from 'prom-client'

/** The metrics of prom-client about the process. The others do not follow the conventions of Prometheus. */
const kept =
  /^process_(cpu_seconds_total|start_time_seconds|resident_memory_bytes|open_fds|max_fds)$|^nodejs_eventloop_lag_(seconds|p99_seconds)$/

/** Milliseconds between two measurements of the event loop. The default of 10 takes half a percent of a processor. */
const lagIntervalMs = 100

export function registerProcessMetrics(registry: Registry): void {
  const all = new Registry()
  collectDefaultMetrics({ register: all, eventLoopMonitoringPrecision: lagIntervalMs })
  for (const metric of all.getMetricsAsArray()) {
    const { name } = metric as unknown as { name: string }
    if (kept.test(name)) registry.registerMetric(all.getSingleMetric(name) as never)
  }
}
