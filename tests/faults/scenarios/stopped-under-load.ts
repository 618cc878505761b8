import { type Account, bearer, createAccount } from '../account.ts'
import { createLedger } from '../ledger.ts'
import { createReaders, type Reader } from '../reader.ts'
import { type Scenario, startHistory, verify } from '../scenario.ts'
import { sendByHttp, sendBySocket } from '../senders.ts'
import { type Server, startServer } from '../server.ts'
import { within } from '../waiting.ts'

const readerCount = 60
/** Alternates between a drain period and none. Without one, requests in flight have to complete immediately. */
const drainSecondsOfRounds = [1, 0]

export const stoppedUnderLoad: Scenario = {
  title: 'SIGTERM while messages are sent',
  rounds: 8,
  quickRounds: 2,
  async run({ folder, random, rounds }) {
    const drainSecondsOf = (round: number) =>
      drainSecondsOfRounds[(round - 1) % drainSecondsOfRounds.length] as number
    const start = (round: number) =>
      startServer({ dataDir: folder, environment: { DRAIN_SECONDS: String(drainSecondsOf(round)) } })
    let server = await start(1)
    const account = await createAccount(server, 'sender')
    const history = await startHistory(server)
    const ledger = createLedger()
    const createReader = createReaders(history.account, history.beginning)
    const readers = Array.from({ length: readerCount }, (_, index) => createReader(`reader ${index + 1}`))
    const findings: string[] = []

    for (let round = 1; round <= rounds; round++) {
      await Promise.all(readers.map((reader) => reader.connect(server)))
      const stop = new AbortController()
      const sender = (name: string) => ({
        name: `round ${round} ${name}`,
        server,
        account,
        ledger,
        random: random.branch(),
        keyedPercent: 50,
        maxPauseMs: 8,
        stop: stop.signal,
      })
      const senders = Promise.all([
        ...['http 1', 'http 2', 'http 3'].map((name) => sendByHttp(sender(name))),
        ...['socket 1', 'socket 2'].map((name) => sendBySocket(sender(name), 8)),
      ])
      await Bun.sleep(random.between(100, 500))
      const drained = await stopAndWatch(server, history.account, readers, drainSecondsOf(round))
      findings.push(...drained.map((finding) => `round ${round}: ${finding}`))
      stop.abort()
      await senders
      server = await start(round + 1)
      await history.advance(server)
    }
    const unanswered: string[] = []
    for (const { message } of history.messages) {
      const sent = ledger.find(message)
      if (sent?.outcome === 'unknown' && sent.sender.includes('http')) unanswered.push(message)
    }
    const [first] = unanswered
    if (first)
      findings.push(`${unanswered.length} sends by HTTP were stored but got no response, e.g. ${first}`)

    await Promise.all(readers.map((reader) => reader.connect(server)))
    const report = await verify({ server, history, ledger, readers, random })
    await server.kill()
    return { ...report, findings: [...report.findings, ...findings] }
  },
}

/** Sends SIGTERM and returns where the drain differs from the documentation. */
async function stopAndWatch(
  server: Server,
  account: Account,
  readers: Reader[],
  drainSeconds: number,
): Promise<string[]> {
  const findings: string[] = []
  const signalledAtMs = performance.now()
  server.signal('SIGTERM')
  const responses = probeUntilStopped(server, account)
  const closings = await within(
    drainSeconds * 1000 + 10_000,
    'the server closes its sockets',
    Promise.all(readers.map((reader) => reader.closed())),
  )
  const exitCode = await within(10_000, 'the server exits after closing its sockets', server.exited)
  if (exitCode !== 0) findings.push(`the server exited with ${exitCode}:\n${server.lastLines()}`)

  const others = closings.filter(({ code, reason }) => code !== 1012 || reason !== 'service-restart')
  const [other] = others
  if (other)
    findings.push(
      `${others.length} sockets were closed with another code or reason, e.g. ${other.code} "${other.reason}"`,
    )
  const { readiness, upgrades } = await responses
  if (drainSeconds === 0) return findings
  // Closes are spread over the drain period. A busy machine may delay them but cannot make them early.
  const half = closings.filter(({ atMs }) => atMs - signalledAtMs < (drainSeconds * 1000) / 2).length
  if (half > readers.length * 0.6)
    findings.push(`${half} of ${readers.length} sockets were closed in the first half of the drain period`)

  if (!readiness.has(503)) findings.push(`/readyz returned ${[...readiness]} while draining, never 503`)
  if (readiness.has(200)) findings.push('/readyz returned 200 after SIGTERM had been handled')
  if (!upgrades.has(503)) findings.push(`handshakes returned ${[...upgrades]} while draining, never 503`)
  if (upgrades.has(101)) findings.push('a handshake succeeded while draining')
  return findings
}

/** Requests /readyz and a handshake repeatedly until the server stops responding. */
async function probeUntilStopped(server: Server, account: Account) {
  const readiness = new Set<number>()
  const upgrades = new Set<number>()
  const upgrade = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'cGFybGV5IGZhdWx0IHRlc3Q=',
    ...bearer(account),
  }
  const probe = async (path: string, headers: Record<string, string>, into: Set<number>) => {
    const response = await fetch(server.url + path, { headers, signal: AbortSignal.timeout(5000) })
    await response.body?.cancel()
    into.add(response.status)
  }
  try {
    // The signal may not have been handled yet. After the first 503, readiness must not return.
    while (!readiness.has(503)) {
      readiness.clear()
      await probe('/readyz', {}, readiness)
    }
    for (;;) {
      await probe('/', upgrade, upgrades)
      await probe('/readyz', {}, readiness)
      await Bun.sleep(25)
    }
  } catch {
    return { readiness, upgrades }
  }
}
