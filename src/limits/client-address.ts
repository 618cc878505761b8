import type { BlockList } from 'node:net'
import { type IpAddress, parseIpAddress, parseNode } from './ip-address.ts'

/** The server's view of the connection that a request came from. */
export interface Peer {
  requestIP(request: Request): { readonly address: string } | null
}

/** An IPv6 client can choose any address of a 64-bit network, so the network is counted. */
const network = ({ family, text }: IpAddress) =>
  family === 'ipv4' ? text : text.split(':').slice(0, 4).join(':')

/**
 * Creates a function that returns the address by which a client is counted: the address of the peer, or,
 * if the peer is a trusted proxy, the last address in `X-Forwarded-For` that is not a trusted proxy.
 * `X-Forwarded-For` from any other peer is ignored, and so is everything before an entry that is not an
 * address.
 *
 * @param onUntrustedForward called with the address of a peer whose `X-Forwarded-For` was ignored
 */
export function createClientAddress(
  trustedProxies: BlockList | undefined,
  onUntrustedForward: (peer: string) => void = () => {},
) {
  const isTrusted = ({ family, text }: IpAddress) => trustedProxies?.check(text, family) === true

  return (request: Request, server: Peer | null): string => {
    const peer = parseIpAddress(server?.requestIP(request)?.address ?? '')
    // A closed connection no longer has an address; all such requests share one counter.
    if (peer === undefined) return 'unknown'
    if (!isTrusted(peer)) {
      if (request.headers.has('x-forwarded-for')) onUntrustedForward(peer.text)
      return network(peer)
    }
    let client = peer
    for (const hop of (request.headers.get('x-forwarded-for') ?? '').split(',').reverse()) {
      if (hop.trim() === '') continue
      const address = parseNode(hop)
      if (address === undefined) break
      client = address
      if (!isTrusted(address)) break
    }
    return network(client)
  }
}

export type ClientAddress = ReturnType<typeof createClientAddress>
