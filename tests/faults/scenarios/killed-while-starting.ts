import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createAccount } from '../account.ts'
import type { Chance } from '../chance.ts'
import { createLedger } from '../ledger.ts'
import { createReaders } from '../reader.ts'
import { beginHistory, conclude, type Scenario } from '../scenario.ts'
import { sendByHttp } from '../senders.ts'
import { startServer, startServerAndKill } from '../server.ts'
import { addVerdict, noVerdict } from '../verdict.ts'
import { until } from '../waiting.ts'

export const killedWhileStarting: Scenario = {
  title: 'kill -9 during the very first start',
  rounds: 20,
  quickRounds: 2,
  async run({ folder, chance, rounds }) {
    const total = noVerdict()
    for (let round = 1; round <= rounds; round++) {
      const dataDir = join(folder, String(round))
      await mkdir(dataDir)
      for (let start = chance.between(1, 3); start > 0; start--) {
        await startServerAndKill({ dataDir }, momentOfFirstStart(dataDir, chance))
      }
      const server = await startServer({ dataDir })
      const account = await createAccount(server, 'sender')
      const history = await beginHistory(server)
      const ledger = createLedger()
      const reader = createReaders(history.account, history.beginning)('a reader')
      await reader.connect(server)
      const stop = new AbortController()
      const options = {
        server,
        account,
        ledger,
        chance: chance.branch(),
        keyedPercent: 50,
        longestPauseMs: 0,
        stop: stop.signal,
      }
      const sending = sendByHttp({ name: `round ${round}`, ...options })
      await until(30_000, 'ten messages are sent', () => [...ledger.all()].length >= 10)
      stop.abort()
      await sending
      const verdict = await conclude({ server, history, ledger, readers: [reader], chance })
      await server.kill()
      addVerdict(total, `round ${round}`, verdict)
    }
    return total
  },
}

/** Soon after the first file is there: then the database is being made, which takes some milliseconds. */
async function momentOfFirstStart(dataDir: string, chance: Chance): Promise<void> {
  const delayMs = chance.between(0, 20)
  await until(20_000, 'a file is made', async () => (await readdir(dataDir)).length > 0, 1)
  await Bun.sleep(delayMs)
}
