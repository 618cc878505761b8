import { type BlockList, isIP } from 'node:net'

/** The server's view of the connection that a request came from. */
export interface Peer {
  requestIP(request: Request): { readonly address: string } | null
}

/** Writes `::ffff:1.2.3.4` as `1.2.3.4`; returns undefined if the text is not an address. */
function normalise(text: string): string | undefined {
  const address = text.trim().replace(/^::ffff:(?=\d+\.)/i, '')
  return isIP(address) === 0 ? undefined : address
}

/** An IPv6 client can choose any address of a 64-bit network, so the network is counted. */
function network(address: string): string {
  if (isIP(address) !== 6) return address
  const [head = '', tail] = (address.split('%')[0] as string).split('::')
  const before = head.split(':').filter(Boolean)
  const after = (tail ?? '').split(':').filter(Boolean)
  // A final group in dotted notation counts as two.
  const length = (groups: string[]) => groups.reduce((sum, group) => sum + (group.includes('.') ? 2 : 1), 0)
  const zeros = tail === undefined ? 0 : 8 - length(before) - length(after)
  const groups = [...before, ...Array<string>(Math.max(0, zeros)).fill('0'), ...after]
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')
}

/**
 * Creates a function that returns the address by which a client is counted: the address of the peer, or,
 * if the peer is a trusted proxy, the last address in `X-Forwarded-For` that is not a trusted proxy.
 * `X-Forwarded-For` from any other peer is ignored.
 *
 * @param onUntrustedForward called with the address of a peer whose `X-Forwarded-For` was ignored
 */
export function createClientAddress(
  trustedProxies: BlockList,
  onUntrustedForward: (peer: string) => void = () => {},
) {
  const isTrusted = (address: string) => trustedProxies.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
  const trustsAny = trustedProxies.rules.length > 0

  return (request: Request, server: Peer | null): string => {
    const peer = normalise(server?.requestIP(request)?.address ?? '')
    // A closed connection no longer has an address; all such requests share one counter.
    if (peer === undefined) return 'unknown'
    if (!trustsAny || !isTrusted(peer)) {
      if (request.headers.has('x-forwarded-for')) onUntrustedForward(peer)
      return network(peer)
    }
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
