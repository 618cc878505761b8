import type { Handlers } from '../contract/handlers.ts'
import type { Users } from '../users/users.ts'
import { isCommonPassword } from './common-passwords.ts'
import type { LoginGuard } from './login-guard.ts'
import type { Passwords } from './passwords.ts'
import type { Tokens } from './tokens.ts'

interface AuthOptions {
  readonly users: Users
  readonly passwords: Passwords
  readonly tokens: Tokens
  readonly guard: LoginGuard
  /** Called with errors of background work; no request is waiting for it. */
  readonly onError: (error: unknown) => void
}

export function authHandlers({
  users,
  passwords,
  tokens,
  guard,
  onError,
}: AuthOptions): Pick<Handlers, 'registerUser' | 'loginUser'> {
  /** Replaces an outdated hash. If this fails, the next login tries again. */
  async function rehash(id: string, password: string): Promise<void> {
    try {
      await passwords.runQueued(async () => users.changePasswordHash(id, await passwords.hash(password)))
    } catch (error) {
      onError(error)
    }
  }

  return {
    async registerUser({ body: { username, password }, reply, problem }) {
      if (isCommonPassword(password) || password.toLowerCase() === username.toLowerCase()) {
        throw problem('password-too-common', { errors: [{ pointer: '/password', detail: 'is too common' }] })
      }
      // Checked before hashing, which is expensive. `add` decides, since the name may be taken in between.
      if (await users.findCredentials(username)) throw problem('username-taken')
      const hash = await passwords.runQueued(() => passwords.hash(password))
      const user = await users.add(username, hash)
      if (!user) throw problem('username-taken')
      return reply({ user })
    },

    async loginUser({ body: { username, password }, reply, problem }) {
      const user = await passwords.runQueued(async () => {
        // Counted when the attempt starts, not while it waits in the queue.
        const wait = await guard.attempt(username)
        if (wait > 0) throw problem('login-throttled', { retryAfterSeconds: wait })
        const found = await users.findCredentials(username)
        const valid = found
          ? await passwords.verify(password, found.passwordHash)
          : await passwords.verifyDummy(password)
        if (!found || !valid) return undefined
        await guard.succeed(username)
        return found
      })
      if (!user) throw problem('invalid-credentials')
      // After the response, so that a login takes the same time with an outdated hash.
      if (passwords.isOutdated(user.passwordHash)) void rehash(user.id, password)
      return reply({ token: await tokens.issue(user.id) })
    },
  }
}
