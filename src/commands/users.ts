import { isTooCommon } from '../auth/password-rules.ts'
import { createPasswords } from '../auth/passwords.ts'
import { readDatabaseUrl } from '../config.ts'
import { explainErrors } from '../contract/explain.ts'
import { allOperations } from '../contract/operations.ts'
import { type Administration, openAdministration } from '../open-storage.ts'
import type { UserRecord } from '../users/users.ts'
import { CommandFailure, countOf, formatTable, print, printJson } from './output.ts'
import { confirm, readPassword } from './terminal.ts'

export interface OutputOptions {
  readonly json?: boolean
}

interface RemoveOptions extends OutputOptions {
  readonly eraseMessages?: boolean
  readonly yes?: boolean
}

/** A running service revokes access within a second, and then stores no further message of the user. */
const revocationMs = 1000
const pageSize = 500

const timeOrNull = (ms: number | null) => (ms ? new Date(ms).toISOString() : null)

/** What the commands show of an account: never its password hash. */
const toOutput = ({ id, username, createdAt, tokensValidFrom, removedAt }: UserRecord) => ({
  id,
  username,
  createdAt: timeOrNull(createdAt),
  tokensValidFrom: timeOrNull(tokensValidFrom),
  removedAt: timeOrNull(removedAt),
})

/** Runs `work` on the storage in `dataDir`, or in PostgreSQL, also while the service runs. */
export async function administer<Result>(
  dataDir: string,
  work: (administration: Administration) => Promise<Result>,
): Promise<Result> {
  const administration = await openAdministration({ dataDir, databaseUrl: readDatabaseUrl(process.env) })
  try {
    return await work(administration)
  } finally {
    await administration.close()
  }
}

/** @throws CommandFailure if no account has or had this username */
async function findRecord({ users }: Administration, username: string): Promise<UserRecord> {
  const record = await users.findRecord(username)
  if (!record) throw new CommandFailure(`No account has the username ${JSON.stringify(username)}.`)
  return record
}

/** @throws CommandFailure also if the account was removed */
async function findActive(administration: Administration, username: string): Promise<UserRecord> {
  const record = await findRecord(administration, username)
  if (record.removedAt !== null) throw new CommandFailure(`The account ${record.username} was removed.`)
  return record
}

const registration = allOperations.find(({ id }) => id === 'registerUser')?.body

/** Applies the rules of a registration. @throws CommandFailure */
function checkCredentials(credentials: { readonly username: string; readonly password?: string }): void {
  if (!registration) throw new Error('The document does not describe the body of registerUser')
  const errors = explainErrors(registration.schema, credentials)
  const relevant = errors.find(({ pointer }) => pointer !== '/password' || 'password' in credentials)
  if (relevant) throw new CommandFailure(`The ${relevant.pointer.slice(1)} ${relevant.detail}.`)
  const { username, password } = credentials
  if (password !== undefined && isTooCommon(password, username)) {
    throw new CommandFailure('The password is too common, or it is the username.')
  }
}

async function readHash(username: string): Promise<string> {
  const password = await readPassword(username)
  checkCredentials({ username, password })
  return createPasswords({ concurrency: 1 }).hash(password)
}

export async function listUsers(dataDir: string, { json }: OutputOptions): Promise<void> {
  const records = await administer(dataDir, async ({ users }) => {
    const all: UserRecord[] = []
    for (;;) {
      const page = await users.list(all.at(-1)?.username, pageSize)
      all.push(...page)
      if (page.length < pageSize) return all
    }
  })
  if (json) return printJson(records.map(toOutput))
  const rows = records.map((record) => {
    const { id, username, createdAt, removedAt } = toOutput(record)
    return [username, id, createdAt ?? '', removedAt ? `removed ${removedAt}` : 'active']
  })
  await print(formatTable([['USERNAME', 'ID', 'CREATED', 'STATE'], ...rows]))
}

export async function showUser(dataDir: string, username: string, { json }: OutputOptions): Promise<void> {
  const record = await administer(dataDir, (administration) => findRecord(administration, username))
  const { id, createdAt, tokensValidFrom, removedAt, ...output } = toOutput(record)
  if (json) return printJson(toOutput(record))
  await print(
    formatTable([
      ['username', output.username],
      ['id', id],
      ['created', createdAt ?? ''],
      ['all tokens revoked', tokensValidFrom ?? 'never'],
      ['removed', removedAt ?? 'no'],
    ]),
  )
}

export async function addUser(dataDir: string, username: string, { json }: OutputOptions): Promise<void> {
  const taken = new CommandFailure(`The username ${username} is taken.`)
  checkCredentials({ username })
  const user = await administer(dataDir, async ({ users }) => {
    if (await users.isTaken(username)) throw taken
    const added = await users.add(username, await readHash(username))
    if (!added) throw taken
    return added
  })
  if (json) await printJson(user)
  else await print(`Added ${user.username} (${user.id}).`)
}

export async function setPassword(dataDir: string, name: string, { json }: OutputOptions): Promise<void> {
  const { id, username } = await administer(dataDir, async (administration) => {
    const record = await findActive(administration, name)
    const to = await readHash(record.username)
    const changed = await administration.users.changePassword(record.id, { to })
    if (!changed)
      throw new CommandFailure(`The account ${record.username} was removed while the command ran.`)
    return record
  })
  if (json) await printJson({ id, username })
  else await print(`Changed the password of ${username} and revoked all tokens.`)
}

export async function logOutUser(dataDir: string, name: string, { json }: OutputOptions): Promise<void> {
  const { id, username } = await administer(dataDir, async (administration) => {
    const record = await findActive(administration, name)
    if (!(await administration.users.revokeTokens(record.id))) {
      throw new CommandFailure(`The account ${record.username} was removed while the command ran.`)
    }
    return record
  })
  if (json) await printJson({ id, username })
  else await print(`Revoked all tokens of ${username}.`)
}

export async function removeUser(
  dataDir: string,
  name: string,
  { json, eraseMessages = false, yes = false }: RemoveOptions,
): Promise<void> {
  const { record, erasedMessages } = await administer(dataDir, async (administration) => {
    const found = await findRecord(administration, name)
    const { id, username, removedAt } = found
    // Messages can still be erased after an account was removed without them.
    if (removedAt !== null && !eraseMessages) {
      throw new CommandFailure(`The account ${username} was removed already.`)
    }
    const what = removedAt === null ? `the account ${username}` : 'the messages of the removed account'
    const suffix = eraseMessages && removedAt === null ? ' and all of its messages' : ''
    if (!yes) await confirm(`Remove ${what}${suffix}? This cannot be undone.`)
    if (removedAt === null) await administration.users.remove(id, { eraseMessages })
    if (!eraseMessages) return { record: found, erasedMessages: 0 }
    await Bun.sleep(revocationMs)
    return { record: found, erasedMessages: await administration.messages.eraseMessagesOf(id) }
  })
  const { id, username } = record
  if (json) return printJson({ id, username, erasedMessages })
  const erased = eraseMessages ? ` ${countOf(erasedMessages, 'message')} erased.` : ''
  await print(`Removed ${username}.${erased}`)
}
