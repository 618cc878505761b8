import { rfc3339 } from '../clock.ts'
import type { Handlers } from '../contract/handlers.ts'
import type { Users } from '../users/users.ts'
import type { LoginGuard } from './login-guard.ts'
import { requireUncommonPassword } from './password-rules.ts'
import type { Passwords } from './passwords.ts'
import type { Tokens } from './tokens.ts'

interface LoginOptions {
  readonly users: Users
  readonly passwords: Passwords
  readonly tokens: Tokens
  readonly guard: LoginGuard
  /** Whether anyone may register. */
  readonly registrationOpen: boolean
  /** Called with errors of background work; no request is waiting for it. */
  readonly onError: (error: unknown) => void
}

/** Registration and login. */
export function loginHandlers({
  users,
  passwords,
  tokens,
  guard,
  registrationOpen,
  onError,
}: LoginOptions): Pick<Handlers, 'registerUser' | 'loginUser'> {
  /** Replaces an outdated hash. If this fails, the next login tries again. */
  async function rehash(id: string, password: string, from: string): Promise<void> {
    try {
      await passwords.runQueued(async () => users.rehash(id, { from, to: await passwords.hash(password) }))
    } catch (error) {
      onError(error)
    }
  }

  return {
    async registerUser({ body: { username, password }, reply, problem }) {
      if (!registrationOpen) throw problem('registration-closed')
      requireUncommonPassword(password, username, '/password')
      // Checked before hashing, which is expensive. `add` decides, since the name may be taken in between.
      if (await users.isTaken(username)) throw problem('username-taken')
      const hash = await passwords.runQueued(() => passwords.hash(password))
      const user = await users.add(username, hash)
      if (!user) throw problem('username-taken')
      return reply({ user })
    },

    async loginUser({ body: { username, password }, reply, problem }) {
      const account = await passwords.runQueued(async () => {
        // Counted when the attempt starts, not while it waits in the queue.
        const wait = await guard.attempt(username)
        if (wait > 0) throw problem('login-throttled', { retryAfterSeconds: wait })
        const found = await users.findCredentials(username)
        const valid = found
          ? await passwords.verify(password, found.passwordHash)
          : await passwords.verifyDummy(password)
        if (!found || !valid) return undefined
        // The password may have been changed, or the account removed, while it was being verified.
        const current = await users.find(found.user.id)
        if (current?.tokensValidFrom !== found.tokensValidFrom) return undefined
        await guard.succeed(username)
        return found
      })
      if (!account) throw problem('invalid-credentials')
      // After the response, so that a login takes the same time with an outdated hash.
      if (passwords.isOutdated(account.passwordHash)) {
        void rehash(account.user.id, password, account.passwordHash)
      }
      const { token, expiresAt } = await tokens.issue(account)
      return reply({ token }, { 'Token-Expires-At': rfc3339(expiresAt) })
    },
  }
}
