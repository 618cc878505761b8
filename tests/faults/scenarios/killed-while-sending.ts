import { withFlushes } from '../../fixtures/flushes.ts'
import { type Account, createAccount, send } from '../account.ts'
import { createLedger, type Ledger, type Sent } from '../ledger.ts'
import type { Random } from '../random.ts'
import { createReaders } from '../reader.ts'
import type { Report } from '../report.ts'
import { type History, type Scenario, type Setting, startHistory, verify } from '../scenario.ts'
import { sendAgain, sendAgainBySocket, sendByHttp, sendBySocket } from '../senders.ts'
import { type Server, startServer, startServerAndKill } from '../server.ts'

const httpSenderCount = 6
const socketSenderCount = 4
const readerCount = 4

export const killedWhileSending: Scenario = {
  title: 'kill -9 while messages are sent',
  rounds: 20,
  quickRounds: 3,
  run: (setting) => killWhileSending(setting, []),
}

/** The service then flushes on another thread, so that a kill can hit a commit that is not durable yet. */
export const killedOnSlowDisk: Scenario = {
  title: 'kill -9 while messages are sent to a slow disk',
  rounds: 10,
  quickRounds: 2,
  run: (setting) => killWhileSending(setting, withFlushes('delay_enter=10000')),
}

async function killWhileSending({ folder, random, rounds }: Setting, launcher: string[]): Promise<Report> {
  const settings = { dataDir: folder, launcher }
  let server = await startServer(settings)
  const account = await createAccount(server, 'sender')
  const history = await startHistory(server)
  const ledger = createLedger()
  const createReader = createReaders(history.account, history.beginning)
  const readers = Array.from({ length: readerCount }, (_, index) => createReader(`reader ${index + 1}`))

  for (let round = 1; round <= rounds; round++) {
    // The log has been read since the last round, so resending cannot hide a loss.
    const toResend = chooseMessagesToResend(ledger, history, random.branch())
    await Promise.all(readers.map((reader) => reader.connect(server)))
    if (random.percent(50)) await sendAgainBySocket(server, account, ledger, toResend)
    else for (const sent of toResend) await sendAgain(server, account, ledger, sent)
    await reuseKey(server, account, ledger, toResend[0])

    const stop = new AbortController()
    const sender = (kind: string, index: number) => ({
      name: `round ${round} ${kind} ${index}`,
      server,
      account,
      ledger,
      random: random.branch(),
      keyedPercent: 50,
      maxPauseMs: 4,
      stop: stop.signal,
    })
    const senders = [
      ...Array.from({ length: httpSenderCount }, (_, index) => sendByHttp(sender('http', index))),
      ...Array.from({ length: socketSenderCount }, (_, index) => sendBySocket(sender('socket', index), 8)),
    ]
    const allSent = Promise.all(senders)
    await Promise.race([Bun.sleep(random.between(20, 600)), allSent])
    await server.kill()
    await Promise.all([allSent, ...readers.map((reader) => reader.closed())])

    if (random.percent(30)) await startServerAndKill(settings, Bun.sleep(random.between(0, 200)))
    server = await startServer(settings)
    await history.advance(server)
  }
  await Promise.all(readers.map((reader) => reader.connect(server)))
  const report = await verify({ server, history, ledger, readers, random })
  await server.kill()
  return report
}

/** Messages with a key: all of unknown outcome, and some that are known to be stored. */
function chooseMessagesToResend(ledger: Ledger, history: History, random: Random): Sent[] {
  const stored = history.messages
    .slice(-500)
    .map(({ message }) => ledger.find(message) as Sent)
    .filter(({ key }) => key && random.percent(5))
  const unknown = [...ledger.all()].filter(({ key, outcome }) => key && outcome === 'unknown')
  return [...new Set([...stored, ...unknown])]
}

/** Checks that a key that was used before the crash is still known. */
async function reuseKey(
  server: Server,
  account: Account,
  ledger: Ledger,
  sent: Sent | undefined,
): Promise<void> {
  if (!sent) return
  const response = await send(server, account, 'another message', sent.key)
  if (response.code !== 'idempotency-key-reused') {
    ledger.unexpected.push(
      `another message with a used key returned ${response.status} ${response.code ?? ''}`,
    )
  }
}
