import { createPostgresRevocations } from '../../../src/auth/revocations.postgres.ts'
import { createEpoch } from '../../../src/chats/message-ids.ts'
import { createChangeFeed, readFeed } from '../../../src/storage/postgres/change-feed.ts'
import { openPostgres } from '../../../src/storage/postgres/connection.ts'
import { createPostgresUsers } from '../../../src/users/users.postgres.ts'

/** The accounts of one node. */
export async function openPostgresUsers(url: string) {
  const connection = await openPostgres({ url, timeoutMs: 10_000, epoch: createEpoch() })
  const { pool } = connection
  const feed = createChangeFeed({
    initial: await readFeed(connection.feed),
    read: () => readFeed(connection.feed),
    onState() {},
    onError() {},
  })
  return {
    connection,
    feed,
    users: createPostgresUsers({ pool, feed }),
    revocations: createPostgresRevocations({ pool, feed }),
    async [Symbol.asyncDispose]() {
      feed.close()
      await connection.close()
    },
  }
}
