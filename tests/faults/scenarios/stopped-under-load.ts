import { join } from 'node:path'
import { type Account, bearer, createAccount } from '../account.ts'
import { createLedger } from '../ledger.ts'
import { createReaders, type Reader } from '../reader.ts'
import { beginHistory, conclude, type Scenario } from '../scenario.ts'
import { sendByHttp, sendBySocket } from '../senders.ts'
import { type Server, startServer } from '../server.ts'
import { within } from '../waiting.ts'

const readerCount = 60
const drainSeconds = 1

export const stoppedUnderLoad: Scenario = {
  title: 'SIGTERM while messages are sent',
  rounds: 8,
  quickRounds: 1,
  async run({ folder, chance, rounds }) {
    const settings = { dataDir: join(folder, 'data'), environment: { DRAIN_SECONDS: String(drainSeconds) } }
    let server = await startServer(settings)
    const sender = await createAccount(server, 'sender')
    const history = await beginHistory(server)
    const ledger = createLedger()
    const reader = createReaders(history.account, history.beginning)
    const readers = Array.from({ length: readerCount }, (_, index) => reader(`reader ${index + 1}`))
    const findings: string[] = []

    for (let round = 1; round <= rounds; round++) {
      await Promise.all(readers.map((reader) => reader.connect(server)))
      const stop = new AbortController()
      const lane = (name: string) => ({
        name: `round ${round} ${name}`,
        server,
        account: sender,
        ledger,
        chance: chance.branch(),
        keyedPercent: 50,
        longestPauseMs: 8,
        stop: stop.signal,
      })
      const lanes = Promise.all([
        ...['http 1', 'http 2', 'http 3'].map((name) => sendByHttp(lane(name))),
        ...['socket 1', 'socket 2'].map((name) => sendBySocket(lane(name), 8)),
      ])
      await Bun.sleep(chance.between(100, 500))
      server.signal('SIGTERM')
      findings.push(
        ...(await watchDrain(server, history.account, readers)).map((text) => `round ${round}: ${text}`),
      )
      stop.abort()
      await lanes
      server = await startServer(settings)
      await history.advance(server)
    }
    await Promise.all(readers.map((reader) => reader.connect(server)))
    const verdict = await conclude({ server, history, ledger, readers, chance })
    await server.kill()
    return { ...verdict, findings: [...verdict.findings, ...findings] }
  },
}

/** What of a drain is not as documented. */
async function watchDrain(server: Server, account: Account, readers: Reader[]): Promise<string[]> {
  const findings: string[] = []
  const answers = knockUntilGone(server, account)
  const closings = await within(
    drainSeconds * 1000 + 10_000,
    'the server closes its sockets',
    Promise.all(readers.map((reader) => reader.closed())),
  )
  const exitCode = await within(10_000, 'the server ends, once its sockets are closed', server.exited)
  if (exitCode !== 0) findings.push(`it ended with ${exitCode}:\n${server.lastLines()}`)

  const others = closings.filter(({ code, reason }) => code !== 1012 || reason !== 'service-restart')
  const [other] = others
  if (other)
    findings.push(`${others.length} sockets were closed otherwise, e.g. ${other.code} "${other.reason}"`)
  // Not how long it took, but that it was not all at once. A busy machine may bunch many of them.
  const times = closings.map(({ atMs }) => atMs)
  const windowMs = (drainSeconds * 1000) / 4
  const most = Math.max(
    ...times.map((from) => times.filter((at) => at >= from && at < from + windowMs).length),
  )
  if (most > readers.length * 0.9) findings.push(`${most} of ${readers.length} sockets were closed at once`)

  const { readiness, upgrades } = await answers
  if (!readiness.has(503)) findings.push(`/readyz answered ${[...readiness]} while draining, never 503`)
  if (readiness.has(200)) findings.push('/readyz answered 200 after SIGTERM had been handled')
  if (!upgrades.has(503))
    findings.push(`new sockets were answered ${[...upgrades]} while draining, never 503`)
  if (upgrades.has(101)) findings.push('a new socket was taken while draining')
  return findings
}

/** Asks for readiness and for a socket, again and again, until nobody answers. */
async function knockUntilGone(server: Server, account: Account) {
  const readiness = new Set<number>()
  const upgrades = new Set<number>()
  const upgrade = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'cGFybGV5IGZhdWx0IHRlc3Q=',
    ...bearer(account),
  }
  const ask = async (path: string, headers: Record<string, string>, into: Set<number>) => {
    const response = await fetch(server.url + path, { headers, signal: AbortSignal.timeout(5000) })
    await response.body?.cancel()
    into.add(response.status)
  }
  try {
    // The signal may be on its way still; from the first 503 on there is no way back.
    while (!readiness.has(503)) {
      readiness.clear()
      await ask('/readyz', {}, readiness)
    }
    for (;;) {
      await ask('/', upgrade, upgrades)
      await ask('/readyz', {}, readiness)
      await Bun.sleep(25)
    }
  } catch {
    return { readiness, upgrades }
  }
}
