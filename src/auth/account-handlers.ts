import { rfc3339 } from '../clock.ts'
import type { Handlers } from '../contract/handlers.ts'
import { ProblemError } from '../contract/problems.ts'
import type { Credentials, User, Users } from '../users/users.ts'
import type { LoginGuard } from './login-guard.ts'
import { requireUncommonPassword } from './password-rules.ts'
import type { Passwords } from './passwords.ts'
import type { Tokens } from './tokens.ts'

interface AccountOptions {
  readonly users: Users
  readonly passwords: Passwords
  readonly tokens: Tokens
  readonly guard: LoginGuard
  /** Removes the user of a removed account from all rooms. If it fails, this is left to background work. */
  readonly leaveRooms: (userId: string) => Promise<void>
  /** Erases the messages of a removed user. */
  readonly eraseMessages: (userId: string) => Promise<void>
}

/** Password changes and the deletion of accounts. Both need the password, so that a stolen token does not suffice. */
export function accountHandlers({
  users,
  passwords,
  tokens,
  guard,
  leaveRooms,
  eraseMessages,
}: AccountOptions): Pick<Handlers, 'changePassword' | 'deleteProfile'> {
  /** @throws ProblemError login-throttled or wrong-password */
  async function verify({ id, username }: User, password: string): Promise<Credentials> {
    const wait = await guard.attempt(username)
    if (wait > 0) throw new ProblemError('login-throttled', { retryAfterSeconds: wait })
    const credentials = await users.findCredentials(username)
    const valid = credentials?.user.id === id && (await passwords.verify(password, credentials.passwordHash))
    if (!valid) throw new ProblemError('wrong-password')
    await guard.succeed(username)
    return credentials
  }

  /**
   * Verifies the password and makes a change that succeeds only if the hash is still the verified one. If it is
   * not, the password is verified again: the hash may have been replaced without a change of the password.
   *
   * @throws ProblemError hashing-overloaded, login-throttled or wrong-password
   */
  function changeVerified<Result>(
    user: User,
    password: string,
    change: (passwordHash: string) => Promise<Result | undefined>,
  ): Promise<Result> {
    return passwords.runQueued(async () => {
      for (;;) {
        const { passwordHash } = await verify(user, password)
        const result = await change(passwordHash)
        if (result !== undefined) return result
      }
    })
  }

  return {
    async changePassword({ user, body: { currentPassword, newPassword }, reply }) {
      requireUncommonPassword(newPassword, user.username, '/newPassword')
      const account = await changeVerified(user, currentPassword, async (from) =>
        users.changePassword(user.id, { from, to: await passwords.hash(newPassword) }),
      )
      const { token, expiresAt } = await tokens.issue(account)
      return reply({ token }, { 'Token-Expires-At': rfc3339(expiresAt) })
    },

    async deleteProfile({ user, body: { password, eraseMessages: erase = false }, reply }) {
      await changeVerified(user, password, async (passwordHash) =>
        (await users.remove(user.id, { passwordHash, eraseMessages: erase })) ? true : undefined,
      )
      await leaveRooms(user.id)
      if (erase) await eraseMessages(user.id)
      return reply({})
    },
  }
}
