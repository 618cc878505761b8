import type { Identity } from '../http/gate.ts'
import { chain } from '../maybe-promise.ts'
import type { Identities } from './identities.ts'

/**
 * Counts the lookups in the cache of identities.
 *
 * @param count is called with whether the token was cached, and its account still valid
 */
export function measureIdentities(identities: Identities, count: (hit: boolean) => void): Identities {
  function inspect(identity: Identity | undefined): Identity | undefined {
    count(identity !== undefined)
    return identity
  }
  return {
    ...identities,
    // The account of a cached token may have to be read again, and may turn out to be removed.
    fromCache: (authorization, now) => chain(identities.fromCache(authorization, now), inspect),
  }
}
