import { isOperation, targetOf } from './checks.ts'
import type { Contract } from './contract.ts'
import { parseJson, tokenOfHandshake } from './expected-outcomes.ts'
import type { TrafficEvent } from './traffic.ts'

/**
 * Tells from the recorded traffic which user a token belongs to: a login names the user, and an operation that
 * returns a token to a user who has one returns it to the same user.
 */
export function createTokenOwners(contract: Contract) {
  const names = new Map<string, string>()
  const keyOf = (server: string, token: string) => `${server} ${token}`

  return {
    /** The username of the owner, in lower case; the token itself if its login was not recorded. */
    ownerOf: (server: string, token: string): string => names.get(keyOf(server, token)) ?? token,
    observe(event: TrafficEvent): void {
      if (event.kind !== 'exchange' || event.response.status !== 200) return
      if (!isOperation(targetOf(contract, event.request))) return
      const { token } = parseJson(event.response.body) as { token?: unknown }
      if (typeof token !== 'string') return
      const used = tokenOfHandshake(contract.channel, event.request)
      const { username } = parseJson(event.request.body || '{}') as { username?: string }
      const owner = username ?? (used && this.ownerOf(event.server, used))
      if (owner !== undefined) names.set(keyOf(event.server, token), owner.toLowerCase())
    },
  }
}
