import { expect, test } from 'bun:test'
import { openPipe, readPipe, startRedirected } from '../support/log-outputs.ts'
import { temporaryFolder } from '../support/service.ts'

interface LogLine {
  readonly msg: string
  readonly count?: number
}

const toLines = (text: string): LogLine[] =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as LogLine)

type Pipe = Pick<ReturnType<typeof openPipe>, 'read' | 'closeReader'>
type Service = Awaited<ReturnType<typeof startRedirected>>

/** Reads the log until it reports dropped lines. */
async function readUntilReport({ read }: Pipe): Promise<string> {
  let log = ''
  while (!log.includes('"log lines dropped"')) {
    log += read()
    await Bun.sleep(5)
  }
  return log
}

/** Stops the service, reads the rest of its log, and expects exit code 0. */
async function readUntilExit({ read, closeReader }: Pipe, service: Service): Promise<string> {
  let log = ''
  let exitCode: number | undefined
  service.stop().then((code) => {
    exitCode = code
  })
  while (exitCode === undefined) {
    log += read()
    await Bun.sleep(5)
  }
  log += read()
  closeReader()
  expect(exitCode).toBe(0)
  return log
}

/** More than a pipe and the backlog hold together: 64 KiB and 1 MiB, at more than 150 characters a line. */
const manyRequests = 10_000

test('a pipe that nobody reads: requests are served, and SIGTERM ends the process with exit code 0', async () => {
  await using folder = await temporaryFolder()
  const pipe = openPipe(folder.path)
  await using service = await startRedirected({ redirections: `>${pipe.path}` })
  await service.request(manyRequests)
  expect(await service.stop()).toBe(0)
  pipe.closeReader()
})

test('a pipe that is read late: each line arrives or is counted', async () => {
  await using folder = await temporaryFolder()
  const pipe = openPipe(folder.path)
  await using service = await startRedirected({ redirections: `>${pipe.path}` })
  await service.request(manyRequests)
  let log = await readUntilReport(pipe)
  await service.request(10)
  log += await readUntilExit(pipe, service)

  const lines = toLines(log)
  const dropped = lines.reduce(
    (sum, { msg, count = 0 }) => sum + (msg === 'log lines dropped' ? count : 0),
    0,
  )
  expect(dropped).toBeGreaterThan(0)
  // One more request found out that the service responds.
  expect(lines.filter(({ msg }) => msg === 'request').length + dropped).toBe(manyRequests + 10 + 1)
  expect(lines.at(-1)?.msg).toBe('stopped')
})

test('a reader that goes away: requests are served, and a new reader receives the log', async () => {
  await using folder = await temporaryFolder()
  const pipe = openPipe(folder.path)
  await using service = await startRedirected({ redirections: `>${pipe.path}` })
  pipe.closeReader()
  await service.request(1000)
  const second = readPipe(pipe.path)
  let log = await readUntilReport(second)
  await service.request(10)
  log += await readUntilExit(second, service)
  expect(toLines(log).at(-1)?.msg).toBe('stopped')
})

test('a reader that goes away for good: requests are served, and SIGTERM ends with exit code 0', async () => {
  await using folder = await temporaryFolder()
  const pipe = openPipe(folder.path)
  await using service = await startRedirected({ redirections: `>${pipe.path} 2>&1` })
  pipe.closeReader()
  await service.request(1000)
  expect(await service.stop()).toBe(0)
})

const outputs = [
  { name: 'standard output on a full disk', redirections: '>/dev/full' },
  { name: 'standard output is closed', redirections: '>&-' },
  { name: 'both outputs on a full disk', redirections: '>/dev/full 2>/dev/full' },
  { name: 'both outputs are closed', redirections: '>&- 2>&-' },
]
for (const { name, redirections } of outputs) {
  test(`${name}: requests are served, and SIGTERM ends the process with exit code 0`, async () => {
    await using service = await startRedirected({ redirections })
    await service.request(1000)
    expect(await service.stop()).toBe(0)
  })
}
