import type { Pool } from '../storage/postgres/pool.ts'
import type { LoginGuard } from './login-guard.ts'
import { loginGuardPolicy } from './login-guard-policy.ts'

interface PostgresLoginGuardOptions {
  readonly pool: Pool
  /** Seconds with fractions. By default, the clock of the database server, which all nodes share. */
  readonly now?: () => number
}

interface PostgresLoginGuard extends LoginGuard {
  /** Removes failures that are forgotten. */
  prune(): Promise<void>
}

/** The store contains no usernames, since users also enter passwords in the wrong field. */
const hash = (username: string) => new Bun.CryptoHasher('sha256').update(username.toLowerCase()).digest()

/** The login guard in PostgreSQL, for all nodes. */
export function createPostgresLoginGuard({ pool, now }: PostgresLoginGuardOptions): PostgresLoginGuard {
  const { freeFailures, firstWait, longestWait, forgottenAfter } = loginGuardPolicy
  const time = () => now?.() ?? null

  return {
    async attempt(username) {
      const [row] = await pool.write(
        async ({ $client }) =>
          $client`select parley.attempt_login(
            ${hash(username)}, ${time()}::float8, ${freeFailures}::int, ${firstWait}::float8,
            ${longestWait}::float8, ${forgottenAfter}::float8) as wait`,
      )
      return Math.ceil(Number(row.wait))
    },
    async succeed(username) {
      await pool.write(
        async ({ $client }) =>
          $client`update parley.login_failures set failures = 0 where username_hash = ${hash(username)}`,
      )
    },
    async prune() {
      await pool.write(
        async ({ $client }) =>
          $client`delete from parley.login_failures
            where attempted_at <= coalesce(${time()}::float8, extract(epoch from clock_timestamp())) - ${forgottenAfter}::float8`,
      )
    },
  }
}
