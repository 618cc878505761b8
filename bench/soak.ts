// `bun run soak` sends mixed traffic for ten minutes, kills clients all the time and the server twice, and checks that
// its memory and its file descriptors do not grow, and that every acknowledged message is stored exactly once.
// With --quick it takes ten seconds, which shows only that the check works.

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { readArguments } from './command-line.ts'
import { openHarness, sizes } from './harness.ts'
import { buildParley, root } from './parley.ts'
import { type Server, startServer, stopEverything } from './processes.ts'
import { type Lifetime, renderSoak, type SoakSample } from './soak-report.ts'
import { startTraffic } from './soak-traffic.ts'

const usage = `bun run soak [options]

  --quick          Run for ten seconds, which only shows that it works.
  --minutes N      Run for N minutes instead of 10.
  --reports DIR    Write the report to this folder instead of reports/.`

const { values } = readArguments(usage, {
  options: {
    quick: { type: 'boolean', default: false },
    minutes: { type: 'string', default: '10' },
    reports: { type: 'string', default: join(root, 'reports') },
  },
})
const totalMs = values.quick ? 10_000 : Number(values.minutes) * 60_000
if (!(totalMs >= 10_000)) throw new Error('--minutes must be a number of at least 0.17')
/** The shares of the time after which the server is killed. The last lifetime is long, so that a leak shows. */
const killAt = [0.2, 0.4]
const sampleMs = totalMs / 200

const { command, name: build } = await buildParley()
const harness = await openHarness(sizes[values.quick ? 'quick' : 'standard'], command)
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void cleanUp().then(() => process.exit(130)))

try {
  const parley = await harness.startParley()
  let server: Server | undefined = parley.server
  const traffic = startTraffic({ port: () => server?.port, tokens: parley.tokens })
  const start = performance.now()
  const elapsed = () => performance.now() - start
  const lifetimes: Lifetime[] = []
  for (const end of [...killAt, 1].map((share) => share * totalMs)) {
    const samples: SoakSample[] = []
    while (elapsed() < end) {
      await Bun.sleep(Math.min(sampleMs, Math.max(0, end - elapsed())))
      samples.push({
        seconds: elapsed() / 1_000,
        residentBytes: server.residentBytes(),
        openFiles: server.openFiles(),
      })
    }
    lifetimes.push({ samples })
    console.error(`${(elapsed() / 1_000).toFixed(0)} s: ${traffic.describe()}`)
    if (end === totalMs) break
    await server.kill()
    server = undefined
    server = await startServer(parley.options)
  }
  const { findings, ...counts } = await traffic.finish(parley.databaseFile)
  await server.stop()

  const report = renderSoak({ build, lifetimes, counts, findings, isQuick: values.quick })
  await mkdir(values.reports, { recursive: true })
  await Bun.write(
    join(values.reports, 'soak.json'),
    `${JSON.stringify({ build, lifetimes, counts, findings })}\n`,
  )
  await Bun.write(join(values.reports, 'soak.md'), report.text)
  console.log(report.text)
  if (!report.passed) process.exitCode = 1
} finally {
  await cleanUp()
}

async function cleanUp() {
  await stopEverything()
  await harness.removeFiles()
}
