import { epochSeconds, rfc3339 } from '../clock.ts'
import type { Handlers } from '../contract/handlers.ts'
import type { Users } from '../users/users.ts'
import type { Revocations } from './revocations.ts'
import type { Tokens } from './tokens.ts'

interface SessionOptions {
  readonly users: Users
  readonly revocations: Revocations
  readonly tokens: Tokens
  /** How long after a login its tokens can be renewed. */
  readonly maxSessionSeconds: number
}

/** Logout and the renewal of tokens. */
export function sessionHandlers({
  users,
  revocations,
  tokens,
  maxSessionSeconds,
}: SessionOptions): Pick<Handlers, 'logoutUser' | 'refreshToken'> {
  return {
    async logoutUser({ user, token: { tokenId, expiresAt }, body: { everywhere }, reply }) {
      if (everywhere) await users.revokeTokens(user.id)
      else await revocations.revoke(tokenId, expiresAt)
      return reply({})
    },

    async refreshToken({ user, token: current, reply, problem }) {
      const { tokenId, authTime, tokensValidFrom } = current
      if (epochSeconds() - authTime >= maxSessionSeconds) throw problem('session-expired')
      // With the value of the current token, so that revoking all tokens also revokes one that is being issued.
      const { token, expiresAt } = await tokens.issue({ user, tokensValidFrom }, authTime)
      // The current token may have been revoked in the meantime, and must not have a successor then.
      const account = await users.find(user.id)
      if (account?.tokensValidFrom !== tokensValidFrom || (await revocations.isRevoked(tokenId))) {
        throw problem('invalid-token')
      }
      return reply({ token }, { 'Token-Expires-At': rfc3339(expiresAt) })
    },
  }
}
