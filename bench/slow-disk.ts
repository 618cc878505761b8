// `bun bench/slow-disk.ts [BINARY...]` reads while a service stores messages on disks whose flushes take longer, and
// prints the rates. Each binary is a build of the service; by default, the working copy is built.
// Needs wrk and strace.

import { resolve } from 'node:path'
import { withFlushes } from '../tests/fixtures/flushes.ts'
import { openHarness, sizes } from './harness.ts'
import { buildParley } from './parley.ts'
import { stopEverything } from './processes.ts'
import { table } from './report.ts'
import { median } from './statistics.ts'
import { requireWrk, runWrk } from './wrk.ts'

const delaysMs = [0, 2, 10]
const rounds = 3
const senders = { path: '/api/chats/send', script: 'send.lua', connections: 64, seconds: 4 }
const readers = { path: '/api/users/profile', script: 'get.lua', connections: 8, seconds: 2 }

async function measure(binary: string, delayMs: number) {
  const launcher = delayMs === 0 ? [] : withFlushes(`delay_enter=${delayMs * 1000}`, 'fsync,fdatasync')
  const harness = await openHarness(sizes.standard, [...launcher, binary])
  const { server, scriptEnvironment: environment, stop } = await harness.startParley()
  const sending = runWrk({ ...senders, server, environment })
  await Bun.sleep(500)
  const reads = await runWrk({ ...readers, server, environment })
  const sends = await sending
  await stop()
  await harness.removeFiles()
  return { reads: reads.perSecond, p99Ms: reads.p99Ms, sends: sends.perSecond }
}

requireWrk()
// Each service runs in its own folder.
const given = process.argv.slice(2).map((path) => resolve(path))
const binaries = given.length > 0 ? given : (await buildParley()).command
const cases = delaysMs.flatMap((delayMs) =>
  binaries.map((binary) => ({ delayMs, binary, samples: [] as Awaited<ReturnType<typeof measure>>[] })),
)
try {
  for (let round = 0; round < rounds; round++) {
    for (const { delayMs, binary, samples } of cases) samples.push(await measure(binary, delayMs))
  }
} finally {
  await stopEverything()
}
const middle = (values: readonly number[]) =>
  median([...values]).toLocaleString('en-US', { maximumSignificantDigits: 3 })
console.log(
  table(
    ['Flush takes longer by', 'Binary', 'Reads per second', 'p99 of a read, ms', 'Sends per second'],
    cases.map(({ delayMs, binary, samples }) => [
      `${delayMs} ms`,
      binary,
      middle(samples.map(({ reads }) => reads)),
      middle(samples.map(({ p99Ms }) => p99Ms)),
      middle(samples.map(({ sends }) => sends)),
    ]),
  ),
)
