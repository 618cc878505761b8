import type { Identities } from './identities.ts'

/** Counts the lookups in the cache of identities. @param count is called with whether the token was cached */
export const measureIdentities = (identities: Identities, count: (hit: boolean) => void): Identities => ({
  ...identities,
  fromCache(token, now) {
    const cached = identities.fromCache(token, now)
    count(cached !== undefined)
    return cached
  },
})
