import type { Database as Sqlite } from 'bun:sqlite'
import { drizzle } from 'drizzle-orm/bun-sqlite'
import type { Queries } from './open-database.ts'
import * as schema from './schema.ts'

/** Reads that share one read transaction for a turn of the event loop. */
export interface TurnReader {
  readonly queries: Queries
  /** To be called before each read. What it sees is no older than this turn of the event loop. */
  begin(): void
  close(): void
}

/**
 * SQLite locks the database for each read, which costs several times what a look-up by key does. The
 * requests that arrive together share the lock, and it is given back before the next ones are served.
 *
 * @param sqlite a connection of its own: a write between `begin` and the end of the turn would fail
 */
export function createTurnReader(sqlite: Sqlite): TurnReader {
  const begin = sqlite.prepare('begin')
  const commit = sqlite.prepare('commit')
  let turn: NodeJS.Immediate | undefined

  function end(): void {
    turn = undefined
    // An error while reading may have ended the transaction already.
    if (sqlite.inTransaction) commit.run()
  }

  return {
    queries: drizzle(sqlite, { schema }),
    begin() {
      if (turn) return
      begin.run()
      turn = setImmediate(end)
    },
    close() {
      clearImmediate(turn)
      end()
      sqlite.close(false)
    },
  }
}
