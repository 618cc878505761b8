import { hostAndPort } from './commands/service-address.ts'
import { ipVersion } from './limits/ip-address.ts'

/** The service cannot listen on its address. The message names the setting, the cause and the remedy. */
export class CannotListen extends Error {}

interface Address {
  readonly host: string
  readonly port: number
}

/** The names of the settings of an address. */
interface AddressSettings {
  readonly host: string
  readonly port: string
}

const publicSettings: AddressSettings = { host: 'HOST', port: 'PORT' }
export const metricsSettings: AddressSettings = { host: 'METRICS_HOST', port: 'METRICS_PORT' }

const hostRemedy = (setting: string) =>
  `Set ${setting} to an address of this machine, 127.0.0.1 for this machine only, or 0.0.0.0 for all interfaces.`

/**
 * Checks that the host is an address or a name that resolves to one. Bun reports a name that does not resolve
 * with a code that depends on earlier system calls.
 *
 * @throws CannotListen
 */
export async function checkHost(host: string, setting = publicSettings.host): Promise<void> {
  const address = host.replace(/^\[(.*)\]$/, '$1')
  if (ipVersion(address) !== 0) return
  // Loaded only for names.
  const { lookup } = await import('node:dns/promises')
  try {
    await lookup(address)
  } catch (error) {
    const { code } = error as { code?: string }
    throw new CannotListen(
      `${setting}: ${host} is neither an address nor a name that resolves to one (${code}). ${hostRemedy(setting)}`,
      { cause: error },
    )
  }
}

/** Converts the error of a listen call that failed. */
export function explainListen(
  error: unknown,
  { host, port }: Address,
  names: AddressSettings = publicSettings,
): CannotListen {
  const { code, message } = error as { code?: string; message: string }
  const user = process.getuid?.() ?? 0
  const messages: Readonly<Record<string, string>> = {
    EADDRINUSE: `${names.port}: ${hostAndPort(host, port)} is in use. Stop the process that listens there, or set ${names.port}.`,
    EACCES:
      `${names.port}: uid ${user} may not listen on port ${port}. Set ${names.port} to a port from 1024 on, or allow the ` +
      'service lower ports (CAP_NET_BIND_SERVICE, or sysctl net.ipv4.ip_unprivileged_port_start).',
    EADDRNOTAVAIL: `${names.host}: ${host} is not an address of this machine. ${hostRemedy(names.host)}`,
  }
  const text =
    messages[code ?? ''] ??
    `${names.host}, ${names.port}: the service cannot listen on ${hostAndPort(host, port)} (${message}). ${hostRemedy(names.host)}`
  return new CannotListen(text, { cause: error })
}
