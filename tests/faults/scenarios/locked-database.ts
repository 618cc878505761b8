import { Database } from 'bun:sqlite'
import { join } from 'node:path'
import { createAccount, listMessages, register, status } from '../account.ts'
import { createLedger } from '../ledger.ts'
import { createReaders } from '../reader.ts'
import { type Scenario, startHistory, verify } from '../scenario.ts'
import { sendByHttp, sendBySocket } from '../senders.ts'
import { startServer } from '../server.ts'
import { waitForMore } from './full-disk.ts'

export const lockedDatabase: Scenario = {
  title: 'another program locks the database',
  rounds: 8,
  quickRounds: 1,
  async run({ folder, random, rounds }) {
    const server = await startServer({ dataDir: folder })
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
      sendByHttp({ ...sender('http persistent'), persistent: true }),
      sendBySocket(sender('socket'), 4),
    ])

    for (let round = 1; round <= rounds; round++) {
      await Bun.sleep(random.between(50, 300))
      const other = new Database(join(folder, 'parley.sqlite'), { readwrite: true })
      // Wait for the server's commits.
      other.run('PRAGMA busy_timeout = 10000')
      other.run(random.pick(['BEGIN EXCLUSIVE', 'BEGIN IMMEDIATE']))
      await waitForMore(ledger, 'refused', server)
      if ((await status(server, '/livez')) !== 200) throw new Error('/livez failed with a locked database')
      // Reading still works while the other connection holds the lock.
      await listMessages(server, history.account, history.beginning)
      const username = `latecomer-${round}`
      const refused = await register(server, username)
      other.run('ROLLBACK')
      other.close()
      if (refused.code !== 'storage-unavailable') {
        throw new Error(`register returned ${refused.status} ${refused.code ?? ''} with a locked database`)
      }
      // The account was not stored, so the username is still available.
      await createAccount(server, username)
      await waitForMore(ledger, 'acknowledged', server)
    }
    stop.abort()
    await senders

    const report = await verify({ server, history, ledger, readers, random })
    await server.kill()
    return report
  },
}
