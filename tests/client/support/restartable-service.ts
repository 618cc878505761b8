import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Client, type ClientOptions, createClient } from '../../../client/src/index.ts'
import { startChild } from '../../unit/support/child.ts'

/**
 * A service in its own process that keeps its port and its data when it is killed and started again.
 * `await using` ends it.
 */
export async function startRestartable(settings: Readonly<Record<string, string>> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'parley-client-'))
  const environment = {
    NODE_ENV: 'production',
    RATE_LIMITS: 'off',
    DRAIN_SECONDS: '0',
    DATA_DIR: folder,
    MAX_SOCKETS_PER_USER: '1000',
    ...settings,
  }
  const first = await startChild({ environment })
  let child: Awaited<ReturnType<typeof startChild>> | undefined = first
  const { port } = new URL(first.url)
  return {
    url: first.url,
    port: Number(port),
    async start(changes: Readonly<Record<string, string>> = {}) {
      child = await startChild({ environment: { ...environment, ...changes, PORT: port } })
    },
    async kill() {
      await child?.[Symbol.asyncDispose]()
      child = undefined
    },
    async stop() {
      await child?.stop()
      child = undefined
    },
    async [Symbol.asyncDispose]() {
      await child?.[Symbol.asyncDispose]()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

export const password = 'correct horse battery staple'

/** A client with its own new user, logged in. */
export async function newUser(
  url: string,
  options: ClientOptions = {},
): Promise<{ client: Client; username: string }> {
  const client = createClient(url, options)
  const username = `user-${crypto.randomUUID().slice(0, 18)}`
  await client.registerUser({ username, password })
  await client.loginUser({ username, password })
  return { client, username }
}

export const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** Waits until a condition is met. The test's own timeout limits it. */
export async function until(condition: () => unknown): Promise<void> {
  while (!(await condition())) await sleep(5)
}

/** All stored messages, oldest first. */
export async function storedMessages(client: Client) {
  const pages = []
  for await (const page of client.history({ limit: 200 })) pages.unshift(...page)
  return pages
}
