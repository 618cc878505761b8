import { type Account, bearer, createAccount } from '../account.ts'
import { createLedger } from '../ledger.ts'
import { createReaders, type Reader } from '../reader.ts'
import { beginHistory, conclude, type Scenario } from '../scenario.ts'
import { sendByHttp, sendBySocket } from '../senders.ts'
import { type Server, startServer } from '../server.ts'
import { within } from '../waiting.ts'

const readerCount = 60
/** By turns: with time to drain, and with none, when what is under way has to be settled at once. */
const drainSecondsByTurns = [1, 0]

export const stoppedUnderLoad: Scenario = {
  title: 'SIGTERM while messages are sent',
  rounds: 8,
  quickRounds: 2,
  async run({ folder, chance, rounds }) {
    const drainSecondsOf = (round: number) =>
      drainSecondsByTurns[(round - 1) % drainSecondsByTurns.length] as number
    const start = (round: number) =>
      startServer({ dataDir: folder, environment: { DRAIN_SECONDS: String(drainSecondsOf(round)) } })
    let server = await start(1)
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
      const drained = await stopAndWatch(server, history.account, readers, drainSecondsOf(round))
      findings.push(...drained.map((finding) => `round ${round}: ${finding}`))
      stop.abort()
      await lanes
      server = await start(round + 1)
      await history.advance(server)
    }
    const unanswered: string[] = []
    for (const { message } of history.messages) {
      const sent = ledger.find(message)
      if (sent?.fate === 'unknown' && sent.lane.includes('http')) unanswered.push(message)
    }
    const [first] = unanswered
    if (first)
      findings.push(`${unanswered.length} sends by HTTP were stored, and never answered, e.g. ${first}`)

    await Promise.all(readers.map((reader) => reader.connect(server)))
    const verdict = await conclude({ server, history, ledger, readers, chance })
    await server.kill()
    return { ...verdict, findings: [...verdict.findings, ...findings] }
  },
}

/** Sends SIGTERM; tells what of the drain is not as documented. */
async function stopAndWatch(
  server: Server,
  account: Account,
  readers: Reader[],
  drainSeconds: number,
): Promise<string[]> {
  const findings: string[] = []
  const signalledAtMs = performance.now()
  server.signal('SIGTERM')
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
  const { readiness, upgrades } = await answers
  if (drainSeconds === 0) return findings
  // Spread over the whole time: a busy machine may delay a closing, and nothing makes one come early.
  const half = closings.filter(({ atMs }) => atMs - signalledAtMs < (drainSeconds * 1000) / 2).length
  if (half > readers.length * 0.6)
    findings.push(`${half} of ${readers.length} sockets were closed in half of the time`)

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
