import { createAccount } from '../account.ts'
import type { Chance } from '../chance.ts'
import { createLedger } from '../ledger.ts'
import { createReaders, type Reader } from '../reader.ts'
import { beginHistory, conclude, type Scenario } from '../scenario.ts'
import { sendByHttp, sendBySocket } from '../senders.ts'
import { type Server, startServer } from '../server.ts'

const readerCount = 24

export const resumingAtRandom: Scenario = {
  title: 'clients drop and resume at random',
  rounds: 60,
  quickRounds: 5,
  async run({ folder, chance, rounds }) {
    const server = await startServer({ dataDir: folder })
    const sender = await createAccount(server, 'sender')
    const history = await beginHistory(server)
    const ledger = createLedger()
    const reader = createReaders(history.account, history.beginning)
    const readers = Array.from({ length: readerCount }, (_, index) => reader(`reader ${index + 1}`))

    const stop = new AbortController()
    const lane = (name: string) => ({
      name,
      server,
      account: sender,
      ledger,
      chance: chance.branch(),
      keyedPercent: 20,
      longestPauseMs: 12,
      stop: stop.signal,
    })
    const lanes = [sendByHttp(lane('http 1')), sendByHttp(lane('http 2')), sendBySocket(lane('socket'), 8)]
    await Promise.all(readers.map((reader) => comeAndGo(reader, server, chance.branch(), rounds)))
    stop.abort()
    await Promise.all(lanes)

    const verdict = await conclude({ server, history, ledger, readers, chance })
    await server.kill()
    return { ...verdict, remark: `${readerCount} clients, each of which resumed ${rounds} times` }
  },
}

async function comeAndGo(reader: Reader, server: Server, chance: Chance, times: number): Promise<void> {
  for (let time = 0; time < times; time++) {
    const connecting = reader.connect(server)
    if (chance.percent(15)) {
      // Gone before the upgrade is answered, or just after.
      await Promise.race([connecting.catch(() => undefined), Bun.sleep(chance.between(0, 3))])
    } else {
      await connecting
      await Bun.sleep(chance.between(0, 300))
    }
    reader.leave(chance.pick(['disconnect', 'close', 'vanish']))
    await connecting.catch(() => undefined)
    // Some stay away for so long that they miss more than one page.
    await Bun.sleep(chance.percent(10) ? chance.between(500, 1500) : chance.between(0, 100))
  }
  await reader.connect(server)
}
