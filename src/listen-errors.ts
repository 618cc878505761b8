import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { hostAndPort } from './commands/service-address.ts'

/** The service cannot listen on its address. The message names the setting, the cause and the remedy. */
export class CannotListen extends Error {}

interface Address {
  readonly host: string
  readonly port: number
}

const hostRemedy =
  'Set HOST to an address of this machine, 127.0.0.1 for this machine only, or 0.0.0.0 for all interfaces.'

/**
 * Checks that HOST is an address or a name that resolves to one. Bun reports a name that does not resolve
 * with a code that depends on earlier system calls.
 *
 * @throws CannotListen
 */
export async function checkHost(host: string): Promise<void> {
  const address = host.replace(/^\[(.*)\]$/, '$1')
  if (isIP(address) !== 0) return
  try {
    await lookup(address)
  } catch (error) {
    const { code } = error as { code?: string }
    throw new CannotListen(
      `HOST: ${host} is neither an address nor a name that resolves to one (${code}). ${hostRemedy}`,
      { cause: error },
    )
  }
}

/** Converts the error of a listen call that failed. */
export function explainListen(error: unknown, { host, port }: Address): CannotListen {
  const { code, message } = error as { code?: string; message: string }
  const user = process.getuid?.() ?? 0
  const messages: Readonly<Record<string, string>> = {
    EADDRINUSE: `PORT: ${hostAndPort(host, port)} is in use. Stop the process that listens there, or set PORT.`,
    EACCES:
      `PORT: uid ${user} may not listen on port ${port}. Set PORT to a port from 1024 on, or allow the ` +
      'service lower ports (CAP_NET_BIND_SERVICE, or sysctl net.ipv4.ip_unprivileged_port_start).',
    EADDRNOTAVAIL: `HOST: ${host} is not an address of this machine. ${hostRemedy}`,
  }
  const text =
    messages[code ?? ''] ??
    `HOST, PORT: the service cannot listen on ${hostAndPort(host, port)} (${message}). ${hostRemedy}`
  return new CannotListen(text, { cause: error })
}
