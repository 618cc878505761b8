import { createPostgresLimitStore } from '../../../src/limits/limit-store.postgres.ts'
import { createPool } from '../../../src/storage/postgres/pool.ts'
import type { LimitStoreEngine } from '../suites/limit-store.ts'
import { createDatabase, openNode } from './postgres.ts'

/** Creates a database with the tables of the service, and returns its URL. */
export async function createTables(): Promise<string> {
  const url = await createDatabase()
  await (await openNode(url))[Symbol.asyncDispose]()
  return url
}

export const openPool = (url: string, name: string, size: number) =>
  createPool({ url, name, size, attemptMs: 5000 })

export const postgresLimitStores: LimitStoreEngine = {
  name: 'PostgreSQL',
  async open(now) {
    const url = await createTables()
    return () => createPostgresLimitStore({ pool: openPool(url, 'limits', 1), now })
  },
}
