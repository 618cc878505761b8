import { type BlockList, isIP } from 'node:net'

interface Peer {
  requestIP(request: Request): { readonly address: string } | null
}

/** An address with `::ffff:1.2.3.4` written as `1.2.3.4`, or undefined where it is none. */
function normalise(text: string): string | undefined {
  const address = text.trim().replace(/^::ffff:(?=\d+\.)/i, '')
  return isIP(address) === 0 ? undefined : address
}

/** An IPv6 client has a network of 64 bits to choose addresses from, so the network is what counts. */
function network(address: string): string {
  if (isIP(address) !== 6) return address
  const [head = '', tail] = (address.split('%')[0] as string).split('::')
  const before = head.split(':').filter(Boolean)
  const after = (tail ?? '').split(':').filter(Boolean)
  // A last group in dotted form stands for two.
  const length = (groups: string[]) => groups.reduce((sum, group) => sum + (group.includes('.') ? 2 : 1), 0)
  const zeros = tail === undefined ? 0 : 8 - length(before) - length(after)
  const groups = [...before, ...Array<string>(Math.max(0, zeros)).fill('0'), ...after]
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')
}

/**
 * Tells by which address a client is counted: the peer's own, or, where the peer is a trusted proxy,
 * the last in X-Forwarded-For that is not one. Nobody else's X-Forwarded-For is believed.
 */
export function createClientAddress(trustedProxies: BlockList) {
  const isTrusted = (address: string) => trustedProxies.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
  const trustsAny = trustedProxies.rules.length > 0

  return (request: Request, server: Peer | null): string => {
    const peer = normalise(server?.requestIP(request)?.address ?? '')
    // A closed connection has no address any more; all of them share one count.
    if (peer === undefined) return 'unknown'
    if (!trustsAny || !isTrusted(peer)) return network(peer)
    let client = peer
    for (const hop of (request.headers.get('x-forwarded-for') ?? '').split(',').reverse()) {
      const address = normalise(hop)
      if (address === undefined) break
      client = address
      if (!isTrusted(address)) break
    }
    return network(client)
  }
}

export type ClientAddress = ReturnType<typeof createClientAddress>
