import type { Config } from '../config.ts'
import { localHost } from './service-address.ts'

/** Longer than a start-up check of an orchestrator waits. */
const timeoutMs = 10_000

/** Whether the service that listens on the configured address responds. The container's health check. */
export async function healthcheck({ host, port }: Config): Promise<boolean> {
  // Imported here, because the import would delay each start of the service.
  const { get } = await import('node:http')
  // Not `fetch`: a URL cannot contain an IPv6 address with a zone.
  return new Promise((resolve) => {
    const options = { host: localHost(host), port, path: '/livez', timeout: timeoutMs, agent: false } as const
    const request = get(options, (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    })
    request.on('timeout', () => request.destroy())
    request.on('error', () => resolve(false))
    request.on('close', () => resolve(false))
  })
}
