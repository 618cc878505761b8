import { createAccount } from '../account.ts'
import { createLedger } from '../ledger.ts'
import type { Random } from '../random.ts'
import { createReaders, type Reader } from '../reader.ts'
import { type Scenario, startHistory, verify } from '../scenario.ts'
import { sendByHttp, sendBySocket } from '../senders.ts'
import { type Server, startServer } from '../server.ts'

const readerCount = 24

export const resumingAtRandom: Scenario = {
  title: 'clients disconnect and resume at random',
  rounds: 60,
  quickRounds: 5,
  async run({ folder, random, rounds }) {
    const server = await startServer({ dataDir: folder })
    const account = await createAccount(server, 'sender')
    const history = await startHistory(server)
    const ledger = createLedger()
    const createReader = createReaders(history.account, history.beginning)
    const readers = Array.from({ length: readerCount }, (_, index) => createReader(`reader ${index + 1}`))

    const stop = new AbortController()
    const sender = (name: string) => ({
      name,
      server,
      account,
      ledger,
      random: random.branch(),
      keyedPercent: 20,
      maxPauseMs: 12,
      stop: stop.signal,
    })
    const senders = [
      sendByHttp(sender('http 1')),
      sendByHttp(sender('http 2')),
      sendBySocket(sender('socket'), 8),
    ]
    await Promise.all(readers.map((reader) => reconnectRepeatedly(reader, server, random.branch(), rounds)))
    stop.abort()
    await Promise.all(senders)

    const report = await verify({ server, history, ledger, readers, random })
    await server.kill()
    return { ...report, remark: `${readerCount} clients; each resumed ${rounds} times` }
  },
}

async function reconnectRepeatedly(
  reader: Reader,
  server: Server,
  random: Random,
  times: number,
): Promise<void> {
  for (let time = 0; time < times; time++) {
    const connecting = reader.connect(server)
    if (random.percent(15)) {
      // Disconnect before the handshake completes or immediately after it.
      await Promise.race([connecting.catch(() => undefined), Bun.sleep(random.between(0, 3))])
    } else {
      await connecting
      await Bun.sleep(random.between(0, 300))
    }
    reader.leave(random.pick(['disconnect', 'close', 'drop']))
    await connecting.catch(() => undefined)
    // Some stay disconnected long enough to miss more than one page.
    await Bun.sleep(random.percent(10) ? random.between(500, 1500) : random.between(0, 100))
  }
  await reader.connect(server)
}
