// `bun bench/login-timing.ts [pairs]` measures whether the response time of a failed login reveals that a username
// exists. It starts the service with a temporary data folder, sends wrong passwords for known and unknown usernames
// in turn, and prints the medians and their ratio. It fails if the medians differ by more than 10 %.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const pairs = Number(process.argv[2] ?? 100)
if (!Number.isSafeInteger(pairs) || pairs < 1 || pairs > 10_000)
  throw new Error('pairs must be from 1 to 10000')
const maxDifference = 0.1

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
    // Discard the rest of the log, so that the pipe does not fill up.
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
  const response = await post(url, '/api/auth/login', { username, password: 'not the password' })
  await response.arrayBuffer()
  const ms = performance.now() - start
  if (response.status !== 401) throw new Error(`The response to a wrong password was ${response.status}`)
  return ms
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  return ((sorted[Math.ceil(middle) - 1] as number) + (sorted[Math.floor(middle)] as number)) / 2
}

try {
  const url = await findUrl()
  // Each username is used for only a few attempts, because the service delays repeated failures.
  const known = Array.from({ length: Math.ceil(pairs / 4) + 1 }, (_, i) => `known-${i}`)
  for (const username of known) {
    const { status } = await post(url, '/api/auth/register', { username, password: 'the right password' })
    if (status !== 201) throw new Error(`The response to a registration was ${status}`)
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
  const [knownMs, unknownMs] = [median(times.known), median(times.unknown)]
  const ratio = unknownMs / knownMs
  console.log(`known usernames:   median ${knownMs.toFixed(2)} ms of ${pairs} attempts`)
  console.log(`unknown usernames: median ${unknownMs.toFixed(2)} ms of ${pairs} attempts`)
  console.log(`unknown / known: ${ratio.toFixed(3)} (accepted: ${1 - maxDifference} to ${1 + maxDifference})`)
  if (Math.abs(ratio - 1) > maxDifference) process.exitCode = 1
} finally {
  service.kill('SIGKILL')
  await service.exited
  await rm(folder, { recursive: true, force: true })
}
