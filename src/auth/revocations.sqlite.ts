import { eq, lte, sql } from 'drizzle-orm'
import { epochSeconds } from '../clock.ts'
import { once } from '../once.ts'
import type { ChangeCounter } from '../storage/sqlite/change-counter.ts'
import type { Queries, RunOnDatabase } from '../storage/sqlite/connection.ts'
import { withStorageErrors } from '../storage/sqlite/errors.ts'
import { revokedTokens } from '../storage/sqlite/schema.ts'
import type { Revocations } from './revocations.ts'

interface SqliteRevocationsOptions {
  readonly queries: Queries
  /** Runs each change; the connection's checks that the database file is still in place. */
  readonly write?: RunOnDatabase
  readonly changes: ChangeCounter
  /** Called with errors of background work; no request is waiting for it. */
  readonly onError: (error: unknown) => void
}

/** How often the revocations of expired tokens are removed. */
const pruningIntervalMs = 60_000

/** The revoked tokens in SQLite. */
export function createSqliteRevocations({
  queries,
  write = withStorageErrors,
  changes,
  onError,
}: SqliteRevocationsOptions): Revocations & { close(): void } {
  // Prepared at its first use, because preparing it delays the start.
  const byId = once(() =>
    queries
      .select({ id: revokedTokens.id })
      .from(revokedTokens)
      .where(eq(revokedTokens.id, sql.placeholder('id')))
      .prepare(),
  )

  /** Not counted as a change: a token that has expired is invalid with or without a revocation. */
  function removeExpired(): void {
    try {
      write(() => queries.delete(revokedTokens).where(lte(revokedTokens.expiresAt, epochSeconds())).run())
    } catch (error) {
      onError(error)
    }
  }

  removeExpired()
  const pruning = setInterval(removeExpired, pruningIntervalMs)
  pruning.unref()
  return {
    revoke(tokenId, expiresAt) {
      write(() =>
        queries.insert(revokedTokens).values({ id: tokenId, expiresAt }).onConflictDoNothing().run(),
      )
      changes.countOwn()
    },
    isRevoked: (tokenId) => withStorageErrors(() => byId().get({ id: tokenId })) !== undefined,
    close: () => clearInterval(pruning),
  }
}
