// Measures whether a login's time tells known usernames from unknown ones: `bun bench/login-timing.ts
// [pairs]`. It starts the service in a folder of its own, tries wrong passwords for both, by turns, and
// prints the medians and their ratio. Fails where they differ by more than a tenth.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const pairs = Number(process.argv[2] ?? 100)
if (!Number.isSafeInteger(pairs) || pairs < 1 || pairs > 10_000) throw new Error('pairs: from 1 to 10000')
const accepted = 0.1

const folder = await mkdtemp(join(tmpdir(), 'parley-timing-'))
const service = Bun.spawn([process.execPath, new URL('../src/main.ts', import.meta.url).pathname], {
  env: { PATH: process.env.PATH, NODE_ENV: 'production', PORT: '0', DATA_DIR: folder, RATE_LIMITS: 'off' },
  stdin: 'ignore',
  stdout: 'pipe',
  stderr: 'inherit',
})

async function findUrl(): Promise<string> {
  let text = ''
  const decoder = new TextDecoder()
  const reader = service.stdout.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) throw new Error('The service did not start')
    text += decoder.decode(value)
    const url = /"url":"([^"]+)"/.exec(text)?.[1]
    if (url === undefined) continue
    reader.releaseLock()
    // Nobody reads the log from here on, and it must not fill up.
    void service.stdout.pipeTo(new WritableStream())
    return url
  }
}

function post(url: string, path: string, body: object): Promise<Response> {
  return fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
}

async function timeLogin(url: string, username: string): Promise<number> {
  const start = performance.now()
  const answer = await post(url, '/api/auth/login', { username, password: 'not the password' })
  await answer.arrayBuffer()
  const ms = performance.now() - start
  if (answer.status !== 401) throw new Error(`A wrong password got ${answer.status}`)
  return ms
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  return ((sorted[Math.ceil(middle) - 1] as number) + (sorted[Math.floor(middle)] as number)) / 2
}

try {
  const url = await findUrl()
  // A name for each few attempts, since failures for one name are slowed down.
  const known = Array.from({ length: Math.ceil(pairs / 4) + 1 }, (_, i) => `known-${i}`)
  for (const username of known) {
    const { status } = await post(url, '/api/auth/register', { username, password: 'the right password' })
    if (status !== 201) throw new Error(`A registration got ${status}`)
  }
  for (let i = 0; i < 4; i++) {
    await timeLogin(url, known[0] as string)
    await timeLogin(url, 'unknown-0')
  }
  const times = { known: [] as number[], unknown: [] as number[] }
  for (let pair = 0; pair < pairs; pair++) {
    const name = 1 + Math.floor(pair / 4)
    const kinds = pair % 2 === 0 ? (['known', 'unknown'] as const) : (['unknown', 'known'] as const)
    for (const kind of kinds) times[kind].push(await timeLogin(url, `${kind}-${name}`))
  }
  const [ofKnown, ofUnknown] = [median(times.known), median(times.unknown)]
  const ratio = ofUnknown / ofKnown
  console.log(`known names:   median ${ofKnown.toFixed(2)} ms of ${pairs}`)
  console.log(`unknown names: median ${ofUnknown.toFixed(2)} ms of ${pairs}`)
  console.log(`unknown / known: ${ratio.toFixed(3)} (accepted: ${1 - accepted} to ${1 + accepted})`)
  if (Math.abs(ratio - 1) > accepted) process.exitCode = 1
} finally {
  service.kill('SIGKILL')
  await service.exited
  await rm(folder, { recursive: true, force: true })
}
