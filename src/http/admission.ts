import type { Tokens } from '../auth/tokens.ts'
import { supportedVersions, versionHeader } from '../contract/operations.ts'
import { createBoundedMap } from '../limits/bounded-map.ts'
import type { ClientAddress } from '../limits/client-address.ts'
import type { CountedClient, RateLimiter, RateLimits } from '../limits/rate-limits.ts'
import type { Account, Users } from '../users/users.ts'
import type { Exchange } from './answers.ts'
import { ProblemError, unavailable } from './problems.ts'

/** Who makes a request, and until when; where requests are counted, it stands for the user. */
export interface Identity extends Account, CountedClient {
  /** Seconds since the epoch. */
  readonly expiresAt: number
}

export interface Gate {
  readonly secured: boolean
  /** Whether identities are remembered: half a kilobyte each, which spares the next request a verification. */
  readonly remembers: boolean
  readonly limiter: RateLimiter | undefined
}

type Peer = Parameters<ClientAddress>[1]

export interface Admission {
  /**
   * Counts a request, and tells who makes it; at once where the same was here lately.
   *
   * @param exchange is told how far the rate limit is used up
   * @param authorization the header's value (RFC 6750)
   * @returns the identity, or undefined where the gate is not secured
   * @throws ProblemError rate-limit-exceeded, unsupported-api-version, missing-token, invalid-token or
   *   shutting-down
   */
  admit(
    gate: Gate,
    exchange: Exchange,
    authorization: string | null,
    peer: Peer,
  ): Identity | undefined | Promise<Identity | undefined>
}

interface AdmissionOptions {
  readonly tokens: Tokens
  readonly users: Users
  readonly rateLimits: RateLimits
  readonly clientAddress: ClientAddress
  readonly isDraining: () => boolean
}

/** Identities that are remembered; one is the header's text and some 200 bytes. */
const memorySize = 20_000

const scheme = 'bearer '

/** The token of `Authorization: Bearer` (RFC 6750); undefined where there is none. */
export function bearerToken(authorization: string | null): string | undefined {
  if (authorization?.slice(0, scheme.length).toLowerCase() !== scheme) return undefined
  return authorization.slice(scheme.length).trim() || undefined
}

export function createAdmission(options: AdmissionOptions): Admission {
  const { tokens, users, rateLimits, clientAddress, isDraining } = options
  /** By the header's value: a signature that held still holds, so the rest is all there is to check. */
  const remembered = createBoundedMap<string, Identity>(memorySize)

  /** Whoever sent this header lately, if the token has not expired and the account is still there. */
  function recall(authorization: string, now: number): Identity | undefined {
    const identity = remembered.get(authorization)
    if (!identity) return undefined
    if (identity.expiresAt > now && users.refresh(identity)) return identity
    remembered.delete(authorization)
    return undefined
  }

  async function identify(token: string): Promise<Identity | undefined> {
    const claims = await tokens.verify(token)
    // The account is looked up, so that a token ends with it.
    const account = claims && users.find(claims.userId)
    if (!account) return undefined
    return { ...account, ...rateLimits.client(account.user.id), expiresAt: claims.expiresAt }
  }

  function count({ limiter }: Gate, exchange: Exchange, identity: Identity | undefined, peer: Peer): void {
    if (!limiter) return
    const byUser = limiter.partition === 'user' && identity
    const client = byUser ? identity : rateLimits.client(clientAddress(exchange.request, peer))
    const counted = limiter.count(client, exchange.arrivedAt)
    exchange.rateLimitPolicy = limiter.policyHeader
    exchange.rateLimit = limiter.header(counted)
    if (counted.exceeded) {
      throw new ProblemError('rate-limit-exceeded', { retryAfterSeconds: counted.resetSeconds })
    }
  }

  /** @param otherwise what to answer where the gate is secured and nobody comes */
  function pass(
    gate: Gate,
    exchange: Exchange,
    identity: Identity | undefined,
    peer: Peer,
    otherwise: 'missing-token' | 'invalid-token',
  ): Identity | undefined {
    count(gate, exchange, identity, peer)
    if (isDraining()) throw unavailable('shutting-down')
    const version = exchange.request.headers.get(versionHeader)
    if (version !== null && !supportedVersions.includes(version)) {
      throw new ProblemError('unsupported-api-version', { supportedVersions })
    }
    if (gate.secured && !identity) throw new ProblemError(otherwise)
    return identity
  }

  /** A storage that fails lets nobody past the count. */
  function fail(gate: Gate, exchange: Exchange, peer: Peer, error: unknown): never {
    count(gate, exchange, undefined, peer)
    throw error
  }

  async function admitLater(
    gate: Gate,
    exchange: Exchange,
    authorization: string,
    token: string,
    peer: Peer,
  ) {
    let identity: Identity | undefined
    try {
      identity = await identify(token)
    } catch (error) {
      fail(gate, exchange, peer, error)
    }
    // Spaces around a token make as many headers of it as somebody likes, of any length.
    const isPlain = authorization.length === scheme.length + token.length
    if (identity && gate.remembers && isPlain) remembered.set(authorization, identity)
    return pass(gate, exchange, identity, peer, 'invalid-token')
  }

  return {
    admit(gate, exchange, authorization, peer) {
      let identity: Identity | undefined
      if (gate.secured && authorization !== null) {
        try {
          identity = recall(authorization, exchange.arrivedAt)
        } catch (error) {
          fail(gate, exchange, peer, error)
        }
        const token = identity ? undefined : bearerToken(authorization)
        if (token !== undefined) return admitLater(gate, exchange, authorization, token, peer)
      }
      return pass(gate, exchange, identity, peer, 'missing-token')
    },
  }
}
