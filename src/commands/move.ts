import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { databaseUrlFault, type Environment, readDatabaseUrl } from '../config.ts'
import { CommandFailure, countOf, print, printJson, printNotice } from './output.ts'
import type { OutputOptions } from './users.ts'

interface MoveOptions extends OutputOptions {
  readonly from: string
}

/** Files with keys, and the setting that has to have their contents on every node. */
const keySettings = [
  ['jwt-secret', 'JWT_SECRET'],
  ['jwt-key.json', 'JWT_PRIVATE_KEY'],
] as const

/** Copies the data of a stopped service from SQLite to PostgreSQL. */
export async function move(environment: Environment, { from, json }: MoveOptions): Promise<void> {
  const url = readDatabaseUrl(environment)
  if (url === undefined) {
    throw new CommandFailure('Set DATABASE_URL to the empty PostgreSQL database that receives the data.')
  }
  const fault = databaseUrlFault(url)
  if (fault !== undefined) throw new CommandFailure(`${fault}.`)
  const dataDir = resolve(from)
  // Imported only here, because the other commands on SQLite need no client of PostgreSQL.
  const { moveToPostgres } = await import('../move-storage.ts')
  const { tables } = await moveToPostgres(dataDir, url)
  if (json) {
    await printJson(tables)
  } else {
    const count = (name: string) => tables[name]?.rows ?? 0
    await print(
      `Moved ${countOf(count('users'), 'account')} (with the removed ones), ` +
        `${countOf(count('messages'), 'message')}, ${countOf(count('rooms'), 'room')} and ${countOf(count('revoked_tokens'), 'revoked token')}.`,
    )
  }
  for (const [file, setting] of keySettings) {
    const path = join(dataDir, file)
    if (!existsSync(path) || environment[setting]) continue
    printNotice(`Set ${setting} to the contents of ${path} on every node, so that tokens remain valid.`)
  }
  printNotice(`${dataDir} was not changed. Do not start a service on it again: it would continue separately.`)
}
