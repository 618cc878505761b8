import type { Pool } from './pool.ts'

/** The size of the database, with its indexes. */
export const readDatabaseSize = (pool: Pool): Promise<number> =>
  pool.read(async ({ $client }) => {
    const [row] = await $client`select pg_database_size(current_database())::float8 as bytes`
    return (row as { bytes: number }).bytes
  })
