import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createAccount } from '../account.ts'
import { createLedger } from '../ledger.ts'
import type { Random } from '../random.ts'
import { createReaders } from '../reader.ts'
import { addReport, emptyReport } from '../report.ts'
import { type Scenario, startHistory, verify } from '../scenario.ts'
import { sendByHttp } from '../senders.ts'
import { startServer, startServerAndKill } from '../server.ts'
import { until } from '../waiting.ts'

export const killedWhileStarting: Scenario = {
  title: 'kill -9 during the very first start',
  rounds: 20,
  quickRounds: 2,
  async run({ folder, random, rounds }) {
    const total = emptyReport()
    for (let round = 1; round <= rounds; round++) {
      const dataDir = join(folder, String(round))
      await mkdir(dataDir)
      for (let start = random.between(1, 3); start > 0; start--) {
        await startServerAndKill({ dataDir }, momentOfFirstStart(dataDir, random))
      }
      const server = await startServer({ dataDir })
      const account = await createAccount(server, 'sender')
      const history = await startHistory(server)
      const ledger = createLedger()
      const reader = createReaders(history.account, history.beginning)('a reader')
      await reader.connect(server)
      const stop = new AbortController()
      const options = {
        server,
        account,
        ledger,
        random: random.branch(),
        keyedPercent: 50,
        maxPauseMs: 0,
        stop: stop.signal,
      }
      const sending = sendByHttp({ name: `round ${round}`, ...options })
      await until(30_000, 'ten messages are sent', () => [...ledger.all()].length >= 10)
      stop.abort()
      await sending
      const report = await verify({ server, history, ledger, readers: [reader], random })
      await server.kill()
      addReport(total, `round ${round}`, report)
    }
    return total
  },
}

/** Resolves shortly after the first file appears, while the database is being created. */
async function momentOfFirstStart(dataDir: string, random: Random): Promise<void> {
  const delayMs = random.between(0, 20)
  await until(20_000, 'a file is created', async () => (await readdir(dataDir)).length > 0, 1)
  await Bun.sleep(delayMs)
}
