import type { Config } from '../config.ts'

/** Whether the service that listens on the configured address responds. The container's health check. */
export async function healthcheck({ host, port }: Config): Promise<boolean> {
  const address = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '[::1]' : host
  const response = await fetch(`http://${address}:${port}/livez`).catch(() => undefined)
  return response?.ok === true
}
