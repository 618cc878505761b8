import { createAccount, listMessages, status } from '../account.ts'
import { type Disk, limitFileSize, mountSmallDisk } from '../disks.ts'
import { createLedger, type Ledger } from '../ledger.ts'
import type { Random } from '../random.ts'
import { createReaders } from '../reader.ts'
import { addReport, emptyReport, type Report } from '../report.ts'
import { type Scenario, startHistory, verify } from '../scenario.ts'
import { sendByHttp, sendBySocket } from '../senders.ts'
import { type Server, startServer } from '../server.ts'
import { until } from '../waiting.ts'

export const fullDisk: Scenario = {
  title: 'the disk fills up and is freed again',
  rounds: 6,
  quickRounds: 1,
  async run({ folder, random, rounds }) {
    const disks = [await mountSmallDisk(folder), await limitFileSize(folder)].filter(
      (disk) => disk !== undefined,
    )
    const total = emptyReport()
    for (const disk of disks) addReport(total, disk.name, await fillAndFree(disk, random, rounds))
    return { ...total, remark: `tested with ${disks.map(({ name }) => name).join(' and ')}` }
  },
}

async function fillAndFree(disk: Disk, random: Random, rounds: number): Promise<Report> {
  let server = await startServer(disk)
  const account = await createAccount(server, 'sender')
  const history = await startHistory(server)
  const ledger = createLedger()
  const createReader = createReaders(history.account, history.beginning)
  const readers = ['reader 1', 'reader 2', 'reader 3'].map((name) => createReader(name))
  await Promise.all(readers.map((reader) => reader.connect(server)))

  const stop = new AbortController()
  const sender = (name: string) => ({
    name,
    server,
    account,
    ledger,
    random: random.branch(),
    keyedPercent: 60,
    maxPauseMs: 12,
    stop: stop.signal,
  })
  const senders = Promise.all([
    sendByHttp(sender('http')),
    sendByHttp({ ...sender('http persistent 1'), persistent: true }),
    sendByHttp({ ...sender('http persistent 2'), persistent: true }),
    sendBySocket(sender('socket'), 4),
  ])
  const faults = (async () => {
    for (let round = 1; round <= rounds; round++) {
      await Bun.sleep(random.between(50, 300))
      await disk.fill(server, random)
      await waitForMore(ledger, 'refused', server)
      if ((await status(server, '/livez')) !== 200) throw new Error('/livez failed with a full disk')
      // Stored messages can still be read.
      await listMessages(server, history.account, history.beginning)
      await disk.free(server)
      await waitForMore(ledger, 'acknowledged', server)
    }
  })()
  await Promise.race([
    faults,
    senders.then(() => Promise.reject(new Error(`the senders ended early:\n${server.lastLines()}`))),
  ])

  // Kill the server to check that acknowledged messages are on disk and refused ones are not.
  await disk.fill(server, random)
  await waitForMore(ledger, 'refused', server)
  await server.kill()
  await disk.free()
  stop.abort()
  await senders
  await Promise.all(readers.map((reader) => reader.closed()))
  server = await startServer(disk)
  await Promise.all(readers.map((reader) => reader.connect(server)))
  const report = await verify({ server, history, ledger, readers, random })
  await server.kill()
  return report
}

/** Resolves when the senders of each kind have had this outcome several more times. */
export async function waitForMore(
  ledger: Ledger,
  outcome: 'refused' | 'acknowledged',
  server: Server,
): Promise<void> {
  const count = (kind: string) => {
    let sum = 0
    for (const sent of ledger.all()) {
      if (sent.sender.startsWith(kind))
        sum += outcome === 'refused' ? sent.refusals : Number(sent.outcome === outcome)
    }
    return sum
  }
  const before = { http: count('http'), socket: count('socket') }
  const isReached = () => count('http') >= before.http + 10 && count('socket') >= before.socket + 3
  await until(60_000, `messages are ${outcome}`, isReached).catch((error: Error) => {
    throw new Error(`${error.message}\n${server.lastLines()}`)
  })
}
