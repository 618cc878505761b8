import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startChild } from './child.ts'
import { temporaryFolder } from './service.ts'

const password = 'correct horse battery staple'

/** Starts a service whose clocks a test can set. */
export async function startClockChild(environment: Readonly<Record<string, string>> = {}) {
  const folder = await temporaryFolder()
  const clockFile = join(folder.path, 'clock.json')
  const child = await startChild({
    preload: 'tests/fixtures/controlled-clock.ts',
    environment: { DATA_DIR: join(folder.path, 'data'), CLOCK_FILE: clockFile, ...environment },
  })
  const post = (path: string, body: object, headers: Record<string, string> = {}) =>
    fetch(child.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })
  return {
    url: child.url,
    metricsUrl: child.metricsUrl,
    waitFor: child.waitFor,
    post,
    /** Sets the wall clock forward or back, and the speed of the monotonic clock. */
    async setClock(offsetMs: number, speed = 1) {
      await writeFile(clockFile, JSON.stringify([offsetMs, speed]))
      child.signal('SIGUSR2')
      await child.waitFor(new RegExp(`clock set to \\[${offsetMs},${speed}\\]`))
    },
    login: (username: string, secret = password) => post('/api/auth/login', { username, password: secret }),
    /** Registers a user and returns a token. */
    async account(username: string): Promise<string> {
      await post('/api/auth/register', { username, password })
      const response = await post('/api/auth/login', { username, password })
      return ((await response.json()) as { token: string }).token
    },
    async [Symbol.asyncDispose]() {
      await child[Symbol.asyncDispose]()
      await folder[Symbol.asyncDispose]()
    },
  }
}
