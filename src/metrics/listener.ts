import type { Metrics } from './metrics.ts'

interface MetricsListenerOptions {
  readonly metrics: Metrics
  readonly host: string
  /** 0 selects any free port. */
  readonly port: number
}

const text = (body: string, status: number) => new Response(`${body}\n`, { status })

/** Serves `GET /metrics` on its own port. The public port never serves it. */
export function listenForScrapes({ metrics, host, port }: MetricsListenerOptions) {
  const server = Bun.serve({
    hostname: host,
    port,
    reusePort: false,
    development: false,
    async fetch(request) {
      if (new URL(request.url).pathname !== '/metrics')
        return text('Not found. Metrics are at /metrics.', 404)
      if (request.method !== 'GET') return new Response('', { status: 405, headers: { allow: 'GET' } })
      const scraped = await metrics.scrape()
      return new Response(scraped.text, { headers: { 'content-type': scraped.contentType } })
    },
    // Bun's own response would contain the source of the error.
    error: () => text('The metrics could not be collected.', 500),
  })
  return { port: server.port as number, stop: () => server.stop(true) }
}
