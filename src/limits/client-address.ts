import type { BlockList } from 'node:net'
import { createFifoCache } from './fifo-cache.ts'
import { type IpAddress, parseIpAddress, parseNode } from './ip-address.ts'

/** The server's view of the connection that a request came from. */
export interface Peer {
  requestIP(request: Request): { readonly address: string } | null
}

/** The number of peers, and of values of `X-Forwarded-For`, that are remembered. */
const cacheCapacity = 4096

/** Characters. A client chooses what it forwards, so longer texts are parsed each time. */
const cachedTextLength = 256

/** Remembers the results for short texts: parsing an IPv6 address takes up to a third of the time of a read. */
function remember<Result>(read: (text: string) => Result): (text: string) => Result {
  const results = createFifoCache<string, { readonly result: Result }>(cacheCapacity)
  return (text) => {
    const known = results.get(text)
    if (known) return known.result
    const result = read(text)
    if (text.length <= cachedTextLength) results.set(text, { result })
    return result
  }
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

  const readPeer = remember((text) => {
    const address = parseIpAddress(text)
    return address && { text: address.text, network: network(address), isTrusted: isTrusted(address) }
  })

  /** The client that trusted proxies forward for. Returns undefined if they do not say. */
  const readForwarded = remember((field) => {
    let client: IpAddress | undefined
    for (const hop of field.split(',').reverse()) {
      if (hop.trim() === '') continue
      const address = parseNode(hop)
      if (address === undefined) break
      client = address
      if (!isTrusted(address)) break
    }
    return client && network(client)
  })

  return (request: Request, server: Peer | null): string => {
    const peer = readPeer(server?.requestIP(request)?.address ?? '')
    // A closed connection no longer has an address; all such requests share one counter.
    if (peer === undefined) return 'unknown'
    const forwarded = request.headers.get('x-forwarded-for')
    if (forwarded === null) return peer.network
    if (peer.isTrusted) return readForwarded(forwarded) ?? peer.network
    onUntrustedForward(peer.text)
    return peer.network
  }
}

export type ClientAddress = ReturnType<typeof createClientAddress>
