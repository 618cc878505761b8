import { continueLog } from '../chats/restored-log.sqlite.ts'
import { readDatabaseUrl } from '../config.ts'
import { backUpDatabase } from '../storage/sqlite/backup.ts'
import { restoreDatabase } from '../storage/sqlite/restore.ts'
import { findReturningUsers, revokeAllTokens } from '../users/restored-users.sqlite.ts'
import { CommandFailure, countOf, print, printJson, printNotice } from './output.ts'
import type { OutputOptions } from './users.ts'

interface BackupOptions extends OutputOptions {
  readonly force?: boolean
}

interface RestoreOptions extends OutputOptions {
  readonly revokeAllTokens?: boolean
}

/** @throws CommandFailure if the data is in PostgreSQL, which has its own tools */
function requireSqlite(tool: string): void {
  if (readDatabaseUrl(process.env) === undefined) return
  throw new CommandFailure(
    `The data is in PostgreSQL (DATABASE_URL). Use ${tool}: docs/scaling.md shows how.`,
  )
}

/** Makes clients of a PostgreSQL database that lost messages receive a gap. */
export async function startEpochAfterRestore({ json }: OutputOptions): Promise<void> {
  const url = readDatabaseUrl(process.env)
  if (url === undefined) {
    throw new CommandFailure('The data is in SQLite, where "parley restore" does this. Set DATABASE_URL.')
  }
  const { startNewEpoch } = await import('../open-postgres-storage.ts')
  const epoch = await startNewEpoch(url)
  if (json) await printJson({ epoch })
  else
    await print(
      `The log has the new epoch ${epoch}. Clients that resume receive a gap and all stored messages.`,
    )
}

export async function backUp(
  dataDir: string,
  file: string,
  { json, force = false }: BackupOptions,
): Promise<void> {
  requireSqlite('pg_dump')
  const backup = await backUpDatabase({ dataDir, file, force })
  if (json) return printJson(backup)
  const { bytes, accounts, messages } = backup
  const contents = `${countOf(accounts, 'account')}, ${countOf(messages, 'message')}`
  await print(`Wrote ${backup.file}: ${contents}, ${countOf(bytes, 'byte')}.`)
}

export async function restore(
  dataDir: string,
  file: string,
  { json, revokeAllTokens: revokes = false }: RestoreOptions,
): Promise<void> {
  requireSqlite('pg_restore')
  const { accounts, messages, replaced, prepared } = await restoreDatabase({
    dataDir,
    file,
    prepare(copy, before) {
      if (revokes) revokeAllTokens(copy)
      return {
        messagesLost: continueLog(copy, before),
        returningUsers: findReturningUsers(copy, before),
      }
    },
  })
  const { messagesLost, returningUsers } = prepared
  if (json) {
    await printJson({
      accounts,
      messages,
      replaced: replaced ?? null,
      newEpoch: messagesLost,
      returningUsers,
      tokensRevoked: revokes,
    })
  } else {
    await print(`Restored ${countOf(accounts, 'account')} and ${countOf(messages, 'message')}.`)
    if (replaced !== undefined) await print(`The replaced database is ${replaced}.`)
    if (messagesLost) {
      await print(
        'The backup may lack messages, so clients that resume receive a gap and all stored messages.',
      )
    }
  }
  printNotice(
    'Warning: changes after the backup are undone, among them password changes, logouts, and removals of ' +
      `accounts and messages.${revokes ? '' : ' If a token may have leaked, repeat this with --revoke-all-tokens.'}`,
  )
  if (returningUsers.length > 0) {
    printNotice(`Warning: these removed accounts exist again: ${returningUsers.join(', ')}.`)
  }
}
