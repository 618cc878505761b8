import { type Account, createAccount, send } from '../account.ts'
import type { Chance } from '../chance.ts'
import { createLedger, type Ledger, type Sent } from '../ledger.ts'
import { createReaders } from '../reader.ts'
import { beginHistory, conclude, type History, type Scenario } from '../scenario.ts'
import { sendAgain, sendAgainBySocket, sendByHttp, sendBySocket } from '../senders.ts'
import { type Server, startServer, startServerAndKill } from '../server.ts'

const httpLanes = 6
const socketLanes = 4
const readerCount = 4

export const killedWhileSending: Scenario = {
  title: 'kill -9 while messages are sent',
  rounds: 20,
  quickRounds: 3,
  async run({ folder, chance, rounds }) {
    const settings = { dataDir: folder }
    let server = await startServer(settings)
    const sender = await createAccount(server, 'sender')
    const history = await beginHistory(server)
    const ledger = createLedger()
    const reader = createReaders(history.account, history.beginning)
    const readers = Array.from({ length: readerCount }, (_, index) => reader(`reader ${index + 1}`))

    for (let round = 1; round <= rounds; round++) {
      // The log of the round before is read already, so sending again cannot hide a loss.
      const again = chooseToSendAgain(ledger, history, chance.branch())
      await Promise.all(readers.map((reader) => reader.connect(server)))
      if (chance.percent(50)) await sendAgainBySocket(server, sender, ledger, again)
      else for (const sent of again) await sendAgain(server, sender, ledger, sent)
      await reuseKey(server, sender, ledger, again[0])

      const stop = new AbortController()
      const lane = (kind: string, index: number) => ({
        name: `round ${round} ${kind} ${index}`,
        server,
        account: sender,
        ledger,
        chance: chance.branch(),
        keyedPercent: 50,
        longestPauseMs: 4,
        stop: stop.signal,
      })
      const lanes = [
        ...Array.from({ length: httpLanes }, (_, index) => sendByHttp(lane('http', index))),
        ...Array.from({ length: socketLanes }, (_, index) => sendBySocket(lane('socket', index), 8)),
      ]
      const lanesEnd = Promise.all(lanes)
      await Promise.race([Bun.sleep(chance.between(20, 600)), lanesEnd])
      await server.kill()
      await Promise.all([lanesEnd, ...readers.map((reader) => reader.closed())])

      if (chance.percent(30)) await startServerAndKill(settings, Bun.sleep(chance.between(0, 200)))
      server = await startServer(settings)
      await history.advance(server)
    }
    await Promise.all(readers.map((reader) => reader.connect(server)))
    const verdict = await conclude({ server, history, ledger, readers, chance })
    await server.kill()
    return verdict
  },
}

/** What has a key and no known fate, and some of what is known to be stored. */
function chooseToSendAgain(ledger: Ledger, history: History, chance: Chance): Sent[] {
  const stored = history.messages
    .slice(-500)
    .map(({ message }) => ledger.find(message) as Sent)
    .filter(({ key }) => key && chance.percent(5))
  const unknown = [...ledger.all()].filter(({ key, fate }) => key && fate === 'unknown')
  return [...new Set([...stored, ...unknown])]
}

/** A key that was used before the crash is still taken after it. */
async function reuseKey(
  server: Server,
  sender: Account,
  ledger: Ledger,
  sent: Sent | undefined,
): Promise<void> {
  if (!sent) return
  const answer = await send(server, sender, 'another message', sent.key)
  if (answer.code !== 'idempotency-key-reused') {
    ledger.complaints.push(`another message with a used key got ${answer.status} ${answer.code ?? ''}`)
  }
}
