import { ipVersion, isUnspecified, parseIpAddress } from '../limits/ip-address.ts'

/** `host:port` as URLs write it: an IPv6 address in brackets, its zone after `%25` (RFC 6874). */
export const hostAndPort = (host: string, port: number): string =>
  `${ipVersion(host) === 6 ? `[${host.replace('%', '%25')}]` : host}:${port}`

/**
 * The host under which this machine reaches a service that listens on `host`. No client can connect to an
 * unspecified address, such as `0.0.0.0`.
 */
export function localHost(host: string): string {
  const address = parseIpAddress(host)
  if (!address || !isUnspecified(address)) return host
  return address.family === 'ipv4' ? '127.0.0.1' : '::1'
}
