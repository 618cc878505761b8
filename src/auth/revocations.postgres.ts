import { eq, lte } from 'drizzle-orm'
import { epochSeconds } from '../clock.ts'
import type { ChangeFeed } from '../storage/postgres/change-feed.ts'
import type { Pool } from '../storage/postgres/pool.ts'
import { revokedTokens } from '../storage/postgres/schema.ts'
import type { Revocations } from './revocations.ts'

interface PostgresRevocationsOptions {
  readonly pool: Pool
  readonly feed: Pick<ChangeFeed, 'countOwn'>
}

interface PostgresRevocations extends Revocations {
  /** Removes the revocations of expired tokens: they are invalid with or without them. */
  prune(): Promise<void>
}

/** The revoked tokens in PostgreSQL, for all nodes. */
export function createPostgresRevocations({ pool, feed }: PostgresRevocationsOptions): PostgresRevocations {
  return {
    async revoke(tokenId, expiresAt) {
      try {
        await pool.write(async (queries) =>
          queries.insert(revokedTokens).values({ id: tokenId, expiresAt }).onConflictDoNothing(),
        )
      } finally {
        // Also if the outcome is unknown: the token may have been revoked.
        feed.countOwn()
      }
    },
    async isRevoked(tokenId) {
      const [row] = await pool.read(async (queries) =>
        queries.select({ id: revokedTokens.id }).from(revokedTokens).where(eq(revokedTokens.id, tokenId)),
      )
      return row !== undefined
    },
    async prune() {
      await pool.write(async (queries) =>
        queries.delete(revokedTokens).where(lte(revokedTokens.expiresAt, epochSeconds())),
      )
    },
  }
}
