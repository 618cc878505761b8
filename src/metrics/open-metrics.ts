import type { Metrics } from './metrics.ts'

/**
 * Creates what counts, if metrics are served. The implementation is imported only then, so that other starts do not
 * load prom-client.
 */
export async function openMetrics(config: {
  readonly metricsPort: number | undefined
}): Promise<Metrics | undefined> {
  if (config.metricsPort === undefined) return undefined
  const { createPrometheusMetrics } = await import('./metrics.prometheus.ts')
  return createPrometheusMetrics()
}
