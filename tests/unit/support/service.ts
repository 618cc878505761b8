import { Database as Sqlite } from 'bun:sqlite'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { createApp } from '../../../src/app.ts'
import { createTokens } from '../../../src/auth/tokens.ts'
import type { MessageLog } from '../../../src/chats/message-log.ts'
import { openSqliteMessageLog } from '../../../src/chats/sqlite-message-log.ts'
import { readConfig } from '../../../src/config.ts'
import { connectRateLimit } from '../../../src/contract/frames.ts'
import { allOperations } from '../../../src/contract/operations.ts'
import { openDatabase } from '../../../src/database/open-database.ts'
import { createUsers } from '../../../src/users/users.ts'

export const policies = [
  ...new Set([...allOperations.map(({ rateLimit }) => rateLimit.policy), connectRateLimit.policy]),
]

export const secret = new TextEncoder().encode('a secret that the tests share, 32 bytes or more')

/** A temporary folder, gone with the scope that `await using`s it. */
export async function temporaryFolder() {
  const path = await mkdtemp(join(tmpdir(), 'parley-unit-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

interface ServiceOptions {
  /** Puts another log in front of, or in place of, the one in SQLite. */
  readonly messageLog?: (log: MessageLog) => MessageLog
}

/**
 * The whole service on a port of its own, configured as in production, with rate limits off unless
 * `environment` says otherwise. `await using` stops it.
 */
export async function startService(
  environment: Readonly<Record<string, string>> = {},
  { messageLog: wrap = (log) => log }: ServiceOptions = {},
) {
  const folder = await temporaryFolder()
  const config = readConfig(
    { NODE_ENV: 'production', RATE_LIMITS: 'off', DRAIN_SECONDS: '0', DATA_DIR: folder.path, ...environment },
    policies,
  )
  const database = openDatabase(config.dataDir)
  const messageLog = openSqliteMessageLog({
    queries: database.queries,
    retentionDays: config.messageRetentionDays,
    retentionCount: config.messageRetentionCount,
    onError() {},
  })
  const lines: string[] = []
  const log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) })
  const service = await createApp({ config, database, messageLog: wrap(messageLog), secret, log })
  const server = service.listen({ hostname: '127.0.0.1', port: 0 })
  const tokens = await createTokens({ secret, ttlSeconds: config.tokenTtlSeconds })
  const users = createUsers(database)
  const url = `http://127.0.0.1:${server.port}`

  return {
    url,
    app: service.app,
    database,
    messageLog,
    /** What it has logged, a JSON text a line. */
    lines,
    /** An account that cannot log in, and its token: without the time that hashing takes. */
    async account(username: string) {
      const user = users.add(username, 'no hash')
      if (!user) throw new Error(`${username} is taken`)
      return { user, token: await tokens.issue(user.id) }
    },
    /** Another connection to the same file, as an operator has it. */
    openFile: () => new Sqlite(join(folder.path, 'parley.sqlite')),
    get: (path: string, token?: string, headers: Record<string, string> = {}) =>
      fetch(url + path, { headers: { ...(token !== undefined && bearer(token)), ...headers } }),
    post: (path: string, body: unknown, headers: Record<string, string> = {}) =>
      fetch(url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
      }),
    async [Symbol.asyncDispose]() {
      await service.drain(0)
      messageLog.close()
      database.close()
      await folder[Symbol.asyncDispose]()
    },
  }
}

export type Service = Awaited<ReturnType<typeof startService>>

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

/** The status and the problem code of an answer. */
export async function outcome(response: Response | Promise<Response>): Promise<[number, string | undefined]> {
  const answer = await response
  const body = (await answer.json()) as { code?: string }
  return [answer.status, body.code]
}
