import type { SqliteConnection } from '../storage/sqlite/connection.ts'
import { messageLog } from '../storage/sqlite/schema.ts'
import { prepareEntryStatements } from './entry-statements.sqlite.ts'
import { eraseAllMessages } from './eraser.sqlite.ts'
import { createMessageIds } from './message-ids.ts'
import { findNewest, findOldest } from './message-log.sqlite.ts'
import type { MessageAdministration } from './message-log.ts'
import { prepareMessageStatements } from './message-statements.sqlite.ts'

/**
 * Between two steps of an erasure. A service that waits for the lock asks for it at most every 25 ms (SQLite's busy
 * handler), and gives up after a tenth of a second.
 */
const pauseMs = 30

/** The messages in SQLite for commands: without appending, and without background work. */
export function createSqliteMessageAdministration({
  queries,
  write,
}: Pick<SqliteConnection, 'queries' | 'write'>): MessageAdministration {
  const statements = prepareMessageStatements(queries)
  /** Undefined until the service has started for the first time. */
  const readState = () => queries.select().from(messageLog).get()

  return {
    remove(removed) {
      const state = readState()
      if (!state) return []
      const ids = createMessageIds(state.epoch)
      const sequences = removed.flatMap((id) => ids.decode(id) ?? [])
      return write(() => statements.remove(sequences)).map(ids.encode)
    },
    async eraseMessagesOf(userId) {
      let erased = 0
      const tables = { statements, entries: prepareEntryStatements(queries) }
      const newest = findNewest(tables).sequence
      await eraseAllMessages(userId, {
        statements: {
          ...statements,
          removeOf(id, range) {
            const sequences = statements.removeOf(id, range)
            erased += sequences.length
            return sequences
          },
        },
        write,
        head: () => newest,
        start: () => findOldest(tables) - 1,
        pause: () => Bun.sleep(pauseMs),
      })
      return erased
    },
  }
}
