import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { startChild } from './child.ts'
import { runJson } from './command.ts'
import { bearer, temporaryFolder } from './service.ts'

/** What `parley restore --json` prints. */
export interface Restored {
  readonly accounts: number
  readonly messages: number
  readonly replaced: string | null
  readonly newEpoch: boolean
  readonly returningUsers: readonly string[]
  readonly tokensRevoked: boolean
}

const password = 'correct horse battery staple'

/** Starts a service in its own process, which can be stopped and started again. */
export async function startIn(dataDir: string) {
  const child = await startChild({
    environment: { DATA_DIR: dataDir, RATE_LIMITS: 'off', DRAIN_SECONDS: '0', LOG_LEVEL: 'info' },
  })
  const post = (path: string, body: object, headers = {}) =>
    fetch(child.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })
  return {
    ...child,
    logIn: async (username: string) => {
      const response = await post('/api/auth/login', { username, password })
      return ((await response.json()) as { token: string }).token
    },
    register: (username: string) => post('/api/auth/register', { username, password }),
    send: (token: string, message: string) => post('/api/chats/send', { message }, bearer(token)),
    /** The status of reading after a cursor, and the texts. */
    async read(token: string, after?: string) {
      const query = after === undefined ? '' : `?after=${after}`
      const response = await fetch(`${child.url}/api/chats/messages${query}`, { headers: bearer(token) })
      const { messages = [], head } = (await response.json()) as {
        messages?: { id: string; message: string }[]
        head?: string
      }
      return { status: response.status, texts: messages.map(({ message }) => message), head, messages }
    },
  }
}

/** A stopped service with one account, and a backup that contains the message `kept`. */
export async function stoppedService(afterBackup: readonly string[] = []) {
  const folder = await temporaryFolder()
  const dataDir = join(folder.path, 'data')
  const backup = join(folder.path, 'backup.sqlite')
  await using service = await startIn(dataDir)
  await service.register('alice')
  const token = await service.logIn('alice')
  await service.send(token, 'kept')
  await runJson(['backup', backup], { dataDir })
  for (const text of afterBackup) await service.send(token, text)
  const { messages, head } = await service.read(token)
  await service.stop()
  return { folder, dataDir, backup, token, cursor: String(messages.at(-1)?.id), head: String(head) }
}

/** The sorted names of the files in a folder. */
export const namesIn = async (path: string) => (await readdir(path)).sort()
