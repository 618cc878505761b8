import type { Logger } from '../logger.ts'

/** Peers that a warning has named. Once there are as many, no further peer is reported. */
const maxPeers = 1000

interface ForwardWarningOptions {
  readonly logger: Logger
  /** Whether log lines contain the addresses of clients, as anyone can send `X-Forwarded-For`. */
  readonly logClientAddress: boolean
}

/**
 * Creates the function that reports, once per peer, that its `X-Forwarded-For` is ignored. If the peer is a
 * proxy, all of its clients share the rate limits of one address.
 */
export function createForwardWarning({ logger, logClientAddress }: ForwardWarningOptions) {
  const reported = new Set<string>()
  return (peer: string): void => {
    // Without the address, a second line would be the same.
    if (reported.has(peer) || reported.size >= (logClientAddress ? maxPeers : 1)) return
    reported.add(peer)
    logger.warn(
      { ...(logClientAddress && { peer }), setting: 'TRUSTED_PROXIES' },
      'X-Forwarded-For ignored: TRUSTED_PROXIES does not list the peer, whose clients share one rate limit',
    )
  }
}
