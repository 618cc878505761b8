import type { Pool } from '../storage/postgres/pool.ts'
import { createMessageIds } from './message-ids.ts'
import type { MessageAdministration } from './message-log.ts'
import { readEnds, readEpoch, removeMessages, removeMessagesOf } from './message-statements.postgres.ts'

/** Small enough not to delay appends. */
const sequencesPerStep = 10_000

/** Deletes the stored messages of a user, in steps. Returns their number. */
export async function sweepMessagesOf(
  pool: Pool,
  userId: string,
  isStopped: () => boolean = () => false,
): Promise<number> {
  const ends = await pool.read(({ $client }) => readEnds($client))
  let erased = 0
  if (!ends) return erased
  for (let after = ends.oldest - 1; after < ends.newest && !isStopped(); after += sequencesPerStep) {
    const range = { after, through: after + sequencesPerStep }
    erased += await pool.write(({ $client }) => removeMessagesOf($client, userId, range))
  }
  return erased
}

/** The messages in PostgreSQL for commands: without appending, and without background work. */
export function createPostgresMessageAdministration(pool: Pool): MessageAdministration {
  return {
    async remove(removed) {
      const ids = createMessageIds(await pool.read(({ $client }) => readEpoch($client)))
      const sequences = removed.flatMap((id) => ids.decode(id) ?? [])
      return (await pool.write(({ $client }) => removeMessages($client, sequences))).map(ids.encode)
    },
    // The mark of the account remains: a node completes the erasure when no append can be pending any more.
    eraseMessagesOf: (userId) => sweepMessagesOf(pool, userId),
  }
}
