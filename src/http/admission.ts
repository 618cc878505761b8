import type { Claims, Tokens } from '../auth/tokens.ts'
import { supportedVersions, versionHeader } from '../contract/operations.ts'
import type { ClientAddress } from '../limits/client-address.ts'
import type { RateLimiter } from '../limits/rate-limits.ts'
import type { User, Users } from '../users/users.ts'
import type { Exchange } from './answers.ts'
import { ProblemError, unavailable } from './problems.ts'

/** Who makes a request, and until when (seconds since the epoch). */
export interface Identity {
  readonly user: User
  readonly expiresAt: number
}

export interface Gate {
  readonly secured: boolean
  /** Whether its tokens are remembered: half a kilobyte each, which spares the next request a verification. */
  readonly remembersTokens: boolean
  readonly limiter: RateLimiter | undefined
}

type Peer = Parameters<ClientAddress>[1]

export interface Admission {
  /**
   * Counts a request, and tells who makes it; at once where the token was seen lately.
   *
   * @param exchange is told how far the rate limit is used up
   * @returns the identity, or undefined where the gate is not secured
   * @throws ProblemError rate-limit-exceeded, unsupported-api-version, missing-token, invalid-token or
   *   shutting-down
   */
  admit(
    gate: Gate,
    exchange: Exchange,
    token: string | undefined,
    peer: Peer,
  ): Identity | undefined | Promise<Identity | undefined>
}

interface AdmissionOptions {
  readonly tokens: Tokens
  readonly users: Users
  readonly clientAddress: ClientAddress
  readonly isDraining: () => boolean
}

/** The token of `Authorization: Bearer`; undefined where there is none. */
export function bearerToken(request: Request): string | undefined {
  const value = request.headers.get('authorization')
  return value !== null && /^bearer /i.test(value) ? value.slice(7).trim() : undefined
}

export function createAdmission({ tokens, users, clientAddress, isDraining }: AdmissionOptions): Admission {
  /** The account is looked up each time, so that a token ends with its account. */
  function identify(claims: Claims | undefined): Identity | undefined {
    const user = claims && users.find(claims.userId)
    return user && { user, expiresAt: claims.expiresAt }
  }

  function count(gate: Gate, exchange: Exchange, identity: Identity | undefined, peer: Peer): void {
    const { limiter } = gate
    if (!limiter) return
    const byUser = limiter.partition === 'user' && identity
    const counted = limiter.count(byUser ? identity.user.id : clientAddress(exchange.request, peer))
    exchange.rateLimitPolicy = limiter.policyHeader
    exchange.rateLimit = limiter.header(counted)
    if (counted.exceeded) {
      throw new ProblemError('rate-limit-exceeded', { retryAfterSeconds: counted.resetSeconds })
    }
  }

  function pass(
    gate: Gate,
    exchange: Exchange,
    token: string | undefined,
    peer: Peer,
    claims: Claims | undefined,
  ): Identity | undefined {
    let identity: Identity | undefined
    try {
      identity = identify(claims)
    } catch (error) {
      // A storage that fails lets nobody past the count.
      count(gate, exchange, undefined, peer)
      throw error
    }
    count(gate, exchange, identity, peer)
    if (isDraining()) throw unavailable('shutting-down')
    const version = exchange.request.headers.get(versionHeader)
    if (version !== null && !supportedVersions.includes(version)) {
      throw new ProblemError('unsupported-api-version', { supportedVersions })
    }
    if (gate.secured && !identity) throw new ProblemError(token ? 'invalid-token' : 'missing-token')
    return identity
  }

  return {
    admit(gate, exchange, token, peer) {
      const claims = gate.secured && token ? tokens.verify(token, gate.remembersTokens) : undefined
      return claims instanceof Promise
        ? claims.then((later) => pass(gate, exchange, token, peer, later))
        : pass(gate, exchange, token, peer, claims)
    },
  }
}
