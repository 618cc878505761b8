import { sqlState } from './errors.ts'
import type { Pool } from './pool.ts'

const insufficientPrivilege = '42501'

/** The identifier of the cluster of databases, which its physical replicas share. Some hosts forbid to read it. */
async function readSystemIdentifier(pool: Pool): Promise<string> {
  try {
    const rows = await pool.attempt(
      ({ $client }) => $client`select system_identifier::text as id from pg_control_system()`,
    )
    return rows[0].id
  } catch (error) {
    if (sqlState(error) === insufficientPrivilege) return 'unknown'
    throw error
  }
}

/** Identifies the database: its copy in another server, or under another name, has another identity. */
export async function readDatabaseIdentity(pool: Pool): Promise<string> {
  const system = await readSystemIdentifier(pool)
  const rows = await pool.attempt(
    ({ $client }) => $client`select oid::text as id from pg_database where datname = current_database()`,
  )
  return `${system} ${rows[0].id}`
}
