/**
 * Preloaded into a service of its own: while the file `busy` stands in its data folder, each access to
 * SQLite fails as a locked database does. Nothing from outside can hold a reader up: in WAL mode no
 * lock of another process stops one. This is the one place where the suite reaches below the wire.
 */
import { Database, type Statement } from 'bun:sqlite'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

const flag = join(process.env.DATA_DIR ?? '', 'busy')

for (const opening of ['prepare', 'query'] as const) {
  const open = Database.prototype[opening] as (...values: unknown[]) => Statement
  Database.prototype[opening] = function (this: Database, ...values: unknown[]) {
    return failing(open.apply(this, values))
  } as never
}

function failing(statement: Statement): Statement {
  for (const name of ['get', 'all', 'values', 'run'] as const) {
    const original = statement[name] as (...values: unknown[]) => unknown
    statement[name] = ((...values: unknown[]) => {
      if (existsSync(flag)) throw Object.assign(new Error('database is locked'), { code: 'SQLITE_BUSY' })
      return original.apply(statement, values)
    }) as never
  }
  return statement
}
