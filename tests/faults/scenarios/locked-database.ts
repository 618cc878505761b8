import { Database } from 'bun:sqlite'
import { join } from 'node:path'
import { createAccount, listMessages, register, status } from '../account.ts'
import { createLedger } from '../ledger.ts'
import { createReaders } from '../reader.ts'
import { beginHistory, conclude, type Scenario } from '../scenario.ts'
import { sendByHttp, sendBySocket } from '../senders.ts'
import { startServer } from '../server.ts'
import { moreOf } from './full-disk.ts'

export const lockedDatabase: Scenario = {
  title: 'another program locks the database',
  rounds: 8,
  quickRounds: 1,
  async run({ folder, chance, rounds }) {
    const server = await startServer({ dataDir: folder })
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
      sendByHttp({ ...lane('http persistent'), persistent: true }),
      sendBySocket(lane('socket'), 4),
    ])

    for (let round = 1; round <= rounds; round++) {
      await Bun.sleep(chance.between(50, 300))
      const other = new Database(join(folder, 'parley.sqlite'), { readwrite: true })
      // It has to wait for its own turn between the server's commits.
      other.run('PRAGMA busy_timeout = 10000')
      other.run(chance.pick(['BEGIN EXCLUSIVE', 'BEGIN IMMEDIATE']))
      await moreOf(ledger, 'refused', server)
      if ((await status(server, '/livez')) !== 200) throw new Error('/livez failed with a locked database')
      // Reading goes on while the other one holds the lock.
      await listMessages(server, history.account, history.beginning)
      const username = `latecomer-${round}`
      const refused = await register(server, username)
      other.run('ROLLBACK')
      other.close()
      if (refused.code !== 'storage-unavailable') {
        throw new Error(`register answered ${refused.status} ${refused.code ?? ''} with a locked database`)
      }
      // Nothing of the account was stored, so the name is free.
      await createAccount(server, username)
      await moreOf(ledger, 'acknowledged', server)
    }
    stop.abort()
    await lanes

    const verdict = await conclude({ server, history, ledger, readers, chance })
    await server.kill()
    return verdict
  },
}
