import type { Handlers } from '../http/operation-routes.ts'
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
}

export function authHandlers({
  users,
  passwords,
  tokens,
  guard,
}: AuthOptions): Pick<Handlers, 'registerUser' | 'loginUser'> {
  return {
    async registerUser({ body: { username, password }, reply, problem }) {
      if (isCommonPassword(password)) {
        throw problem('password-too-common', { errors: [{ pointer: '/password', detail: 'is too common' }] })
      }
      if (users.isTaken(username)) throw problem('username-taken')
      const hash = await passwords.admit(() => passwords.hash(password))
      // Someone may have taken the name meanwhile; the database decides.
      const user = users.add(username, hash)
      if (!user) throw problem('username-taken')
      return reply({ user })
    },

    async loginUser({ body: { username, password }, reply, problem }) {
      const user = await passwords.admit(async () => {
        // Asked only here, where an attempt is about to be made and not queued any more.
        const wait = guard.attempt(username)
        if (wait > 0) throw problem('login-throttled', { retryAfterSeconds: wait })
        const found = users.findCredentials(username)
        const valid = found
          ? await passwords.verify(password, found.passwordHash)
          : await passwords.verifyNothing(password)
        if (!found || !valid) return undefined
        guard.succeed(username)
        if (passwords.isOutdated(found.passwordHash)) {
          users.changePasswordHash(found.id, await passwords.hash(password))
        }
        return found
      })
      if (!user) throw problem('invalid-credentials')
      return reply({ token: await tokens.issue(user.id) })
    },
  }
}
