import { createAccount, listMessages, status } from '../account.ts'
import type { Chance } from '../chance.ts'
import { type Disk, limitFileSize, mountSmallDisk } from '../disks.ts'
import { createLedger, type Ledger } from '../ledger.ts'
import { createReaders } from '../reader.ts'
import { beginHistory, conclude, type Scenario } from '../scenario.ts'
import { sendByHttp, sendBySocket } from '../senders.ts'
import { type Server, startServer } from '../server.ts'
import { addVerdict, noVerdict, type Verdict } from '../verdict.ts'
import { until } from '../waiting.ts'

export const fullDisk: Scenario = {
  title: 'the disk is full, and then is not',
  rounds: 6,
  quickRounds: 1,
  async run({ folder, chance, rounds }) {
    const disks = [await mountSmallDisk(folder), await limitFileSize(folder)].filter(
      (disk) => disk !== undefined,
    )
    const total = noVerdict()
    for (const disk of disks) addVerdict(total, disk.name, await fillAndFree(disk, chance, rounds))
    return { ...total, remark: `by ${disks.map(({ name }) => name).join(', and by ')}` }
  },
}

async function fillAndFree(disk: Disk, chance: Chance, rounds: number): Promise<Verdict> {
  let server = await startServer(disk)
  const sender = await createAccount(server, 'sender')
  const history = await beginHistory(server)
  const ledger = createLedger()
  const reader = createReaders(history.account, history.beginning)
  const readers = ['reader 1', 'reader 2', 'reader 3'].map((name) => reader(name))
  await Promise.all(readers.map((reader) => reader.connect(server)))

  const stop = new AbortController()
  const lane = (name: string) => ({
    name,
    server,
    account: sender,
    ledger,
    chance: chance.branch(),
    keyedPercent: 60,
    longestPauseMs: 12,
    stop: stop.signal,
  })
  const lanes = Promise.all([
    sendByHttp(lane('http')),
    sendByHttp({ ...lane('http persistent 1'), persistent: true }),
    sendByHttp({ ...lane('http persistent 2'), persistent: true }),
    sendBySocket(lane('socket'), 4),
  ])
  const trouble = (async () => {
    for (let round = 1; round <= rounds; round++) {
      await Bun.sleep(chance.between(50, 300))
      await disk.fill(server, chance)
      await moreOf(ledger, 'refused', server)
      if ((await status(server, '/livez')) !== 200) throw new Error('/livez failed with a full disk')
      // What was stored before can be read.
      await listMessages(server, history.account, history.beginning)
      await disk.free(server)
      await moreOf(ledger, 'acknowledged', server)
    }
  })()
  await Promise.race([
    trouble,
    lanes.then(() => Promise.reject(new Error(`the senders ended early:\n${server.lastLines()}`))),
  ])

  // What was acknowledged is on the disk, not only in the process; what was refused is in neither.
  await disk.fill(server, chance)
  await moreOf(ledger, 'refused', server)
  await server.kill()
  await disk.free()
  stop.abort()
  await lanes
  await Promise.all(readers.map((reader) => reader.closed()))
  server = await startServer(disk)
  await Promise.all(readers.map((reader) => reader.connect(server)))
  const verdict = await conclude({ server, history, ledger, readers, chance })
  await server.kill()
  return verdict
}

/** Resolves when each kind of sender has met this fate anew, and not only once. */
export async function moreOf(
  ledger: Ledger,
  fate: 'refused' | 'acknowledged',
  server: Server,
): Promise<void> {
  const count = (kind: string) => {
    let sum = 0
    for (const sent of ledger.all()) {
      if (sent.lane.startsWith(kind)) sum += fate === 'refused' ? sent.refusals : Number(sent.fate === fate)
    }
    return sum
  }
  const before = { http: count('http'), socket: count('socket') }
  const more = () => count('http') >= before.http + 10 && count('socket') >= before.socket + 3
  await until(60_000, `messages are ${fate}`, more).catch((error: Error) => {
    throw new Error(`${error.message}\n${server.lastLines()}`)
  })
}
