/**
 * Preloaded into the service of one test. While the file `busy` exists in the data folder, every SQLite
 * statement fails as with a locked database. A test cannot cause this from outside the process: in WAL
 * mode, a lock held by another process never blocks a reader. Only this file and set-clock.ts modify the service.
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
