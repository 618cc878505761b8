import type { SQL } from 'bun'
import { openapi } from '../../contract/documents.ts'
import { UnusableStorage } from '../errors.ts'
import { type Replication, recordOrigin } from './log-origin.ts'
import accounts from './migrations/0000_initial/accounts.sql' with { type: 'text' }
import append from './migrations/0000_initial/append.sql' with { type: 'text' }
import limits from './migrations/0000_initial/limits.sql' with { type: 'text' }
import log from './migrations/0000_initial/log.sql' with { type: 'text' }
import retention from './migrations/0000_initial/retention.sql' with { type: 'text' }

/** The migrations in their order. Imported, so that the compiled binary contains them. */
const migrations: readonly { readonly tag: string; readonly texts: readonly string[] }[] = [
  { tag: '0000_initial', texts: [accounts, log, append, retention, limits] },
]

const { version } = openapi.info

/** Of the advisory locks of Parley, the one that a migration takes. The others are in append.sql, limits.sql and maintenance-statements.postgres.ts. */
const migrationLock = [1885434988, 0] as const

interface Applied {
  readonly tag: string
  readonly release: string
}

/**
 * The applied migrations; undefined if the schema does not exist.
 *
 * @throws UnusableStorage if another program uses the schema
 */
export async function readApplied(sql: SQL): Promise<readonly Applied[] | undefined> {
  const [found] = await sql`
    select to_regnamespace('parley') is not null as schema_exists,
      to_regclass('parley.migrations') is not null as table_exists`
  if (!found.schema_exists) return undefined
  if (!found.table_exists) {
    throw new UnusableStorage(
      'DATABASE_URL: the database has a schema "parley" that Parley did not create. Use another database, or ' +
        'rename the schema.',
    )
  }
  return sql`select tag, release from parley.migrations order by tag`
}

/** @throws UnusableStorage if a newer release has migrated the database */
export function checkRelease(applied: readonly Applied[]): void {
  const unknown = applied.filter(({ tag }) => !migrations.some((each) => each.tag === tag))
  const [first] = unknown
  if (!first) return
  throw new UnusableStorage(
    `DATABASE_URL: the database was migrated by Parley ${first.release}; this is Parley ${version}, which does ` +
      `not know the migration ${unknown.map(({ tag }) => tag).join(', ')}. Run Parley ${first.release} or newer. ` +
      'The database has not been changed.',
  )
}

/**
 * Applies the pending migrations in one transaction. Nodes that start at the same time wait for each other.
 *
 * @param epoch the epoch of the log, if this call creates it, or if messages may have been lost
 * @returns whether a new epoch has begun because messages may have been lost
 */
export const migrate = (client: SQL, epoch: string, replication: Replication): Promise<boolean> =>
  client.begin(async (sql) => {
    await migrateWithin(sql, epoch)
    return recordOrigin(sql, epoch, replication)
  })

/** As `migrate`, in a transaction of the caller. It holds the lock until its end, so no node can start before that. */
export async function migrateWithin(sql: SQL, epoch: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(${migrationLock[0]}::int, ${migrationLock[1]}::int)`
  const applied = await readApplied(sql)
  checkRelease(applied ?? [])
  if (applied === undefined) {
    await sql`create schema parley`
    await sql`
        create table parley.migrations (
          tag text primary key, release text not null, applied_at timestamptz not null default now()
        )`
  }
  for (const { tag, texts } of migrations) {
    if (applied?.some((each) => each.tag === tag)) continue
    for (const text of texts) await sql.unsafe(text)
    await sql`insert into parley.migrations (tag, release) values (${tag}, ${version})`
  }
  await sql`insert into parley.message_log (id, epoch) values (1, ${epoch}) on conflict do nothing`
}

/** @throws UnusableStorage unless all migrations of this release, and no others, have been applied */
export async function requireMigrated(client: SQL): Promise<void> {
  const applied = (await readApplied(client)) ?? []
  checkRelease(applied)
  if (applied.length === migrations.length) return
  throw new UnusableStorage(
    `DATABASE_URL: the database has no accounts and messages of Parley ${version} yet. Start the service first.`,
  )
}
