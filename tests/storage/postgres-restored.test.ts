import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { join } from 'node:path'
import { generateSecret } from '../../src/auth/secrets.ts'
import {
  findPostgres,
  hasProgram,
  type PostgresServer,
  skipsPostgres,
  startPostgres,
} from '../fixtures/postgres-server.ts'
import { startTcpProxy } from '../fixtures/tcp-proxy.ts'
import { startChild } from '../unit/support/child.ts'
import { failureOf, runJson } from '../unit/support/command.ts'
import { temporaryFolder } from '../unit/support/service.ts'
import { textsOf, until } from './support/message-logs.ts'
import { createDatabase, openNode } from './support/postgres.ts'
import { sharedPostgres, stopPostgresAfterTests } from './support/postgres-server.ts'

stopPostgresAfterTests()
setDefaultTimeout(180_000)

async function run(program: string, ...arguments_: string[]): Promise<void> {
  const child = Bun.spawn([join(findPostgres() ?? '', program), ...arguments_], {
    stdout: 'ignore',
    stderr: 'pipe',
  })
  const errors = await new Response(child.stderr).text()
  if ((await child.exited) !== 0) throw new Error(errors)
}

const epochOf = (id: string) => id.slice(0, 8)

/** A log with the messages `kept` and, after the dump was written, `lost`. */
async function dumpedLog(file: string) {
  const url = await createDatabase()
  await using node = await openNode(url)
  const kept = await node.append('kept')
  await run('pg_dump', '--format=custom', '--schema=parley', `--file=${file}`, url)
  const lost = await node.append('lost')
  return { url, kept: kept.id, lost: lost.id }
}

/** Expects that neither cursor leads anywhere, and that the log continues with other ids. */
async function expectNewEpoch(url: string, before: { kept: string; lost: string }): Promise<void> {
  await using node = await openNode(url)
  expect(await node.log.readAfter(before.kept, 10)).toBe('gone')
  expect(await node.log.readAfter(before.lost, 10)).toBe('gone')
  expect(await textsOf(node.log.readAfter(undefined, 10))).toEqual(['kept'])
  const { id } = await node.append('another message at the position of the lost one')
  expect(epochOf(id)).not.toBe(epochOf(before.lost))
  expect(id.slice(8)).toBe(before.lost.slice(8))
  // Nothing was lost since, so the next start continues.
  await using next = await openNode(url)
  expect(next.log.head()).toBe(id)
}

const skipsDumps = !hasProgram('pg_dump')
const skipsReplication = !hasProgram('pg_basebackup')
if (!skipsPostgres && (skipsDumps || skipsReplication)) {
  console.error(
    'SKIPPED: the tests of dumps and replication. Their programs are not next to that of the server.',
  )
}

describe.skipIf(skipsPostgres)('a new epoch begins', () => {
  test.skipIf(skipsDumps)('when a dump was restored into another database', async () => {
    await using folder = await temporaryFolder()
    const file = join(folder.path, 'parley.dump')
    const before = await dumpedLog(file)
    const url = await createDatabase()
    await run('pg_restore', `--dbname=${url}`, file)
    await expectNewEpoch(url, before)
  })

  test.skipIf(skipsDumps)(
    'when a dump was restored into the same database, which a running node notices',
    async () => {
      await using folder = await temporaryFolder()
      const file = join(folder.path, 'parley.dump')
      const before = await dumpedLog(file)
      await using running = await openNode(before.url)
      await run('pg_restore', `--dbname=${before.url}`, '--clean', '--if-exists', file)
      await until(() => running.unmet().includes('storage-lost'))
      await until(() => running.errors.some((error) => String(error).includes('has to be started again')))
      await expect(running.append('after the restore')).rejects.toThrow('storage-unavailable')
      await expectNewEpoch(before.url, before)
    },
  )

  test('when a running node finds fewer messages than clients have received', async () => {
    const url = await createDatabase()
    await using running = await openNode(url)
    const kept = await running.append('kept')
    const lost = await running.append('lost')
    // As a disk that is set back to a snapshot: the server does not know that anything was lost.
    const server = await sharedPostgres()
    await server.query(
      new URL(url).pathname.slice(1),
      `begin; alter table parley.messages disable trigger all; delete from parley.messages where message like '%lost%';
       alter table parley.messages enable trigger all; commit`,
    )
    await until(() => running.unmet().includes('storage-lost'))
    await until(() => running.errors.some((error) => String(error).includes('has to be started again')))
    await expectNewEpoch(url, { kept: kept.id, lost: lost.id })
  })

  test('by the command, after a restore that no node can notice', async () => {
    const url = await createDatabase()
    const node = await openNode(url)
    const { id } = await node.append('kept')
    await node[Symbol.asyncDispose]()
    const { epoch } = await runJson<{ epoch: string }>(['restored'], { environment: { DATABASE_URL: url } })
    await using next = await openNode(url)
    expect(epochOf(next.log.head())).toBe(epoch)
    expect(await next.log.readAfter(id, 10)).toBe('gone')
    expect(await failureOf(['restored'])).toContain('Set DATABASE_URL')
  })
})

/** A primary with a database, and a standby that has everything up to now and then falls behind. */
async function startReplicated() {
  const primary = await startPostgres()
  const database = await primary.createDatabase()
  const standby = await startPostgres([], { replicaOf: primary })
  return {
    primary,
    standby,
    database,
    /** Waits until the standby has the newest message, and then cuts it off. */
    async fallBehind() {
      // The standby has no tables until it has received those of the primary.
      const headOf = async (server: PostgresServer) =>
        (await server.query(database, 'select parley.log_head()::int as head').catch(() => []))[0]?.head
      const head = await headOf(primary)
      await until(async () => (await headOf(standby)) === head)
      await standby.query('postgres', "alter system set primary_conninfo = ''")
      await standby.query('postgres', 'select pg_reload_conf()')
      await until(
        async () => (await primary.query('postgres', 'select 1 from pg_stat_replication')).length === 0,
      )
    },
    async promote() {
      await primary.kill()
      await standby.query('postgres', 'select pg_promote()')
    },
    async [Symbol.asyncDispose]() {
      await standby[Symbol.asyncDispose]()
      await primary[Symbol.asyncDispose]()
    },
  }
}

describe.skipIf(skipsPostgres || skipsReplication)('when a standby is promoted', () => {
  test('running nodes end, also if others have stored messages since, and clients receive a gap', async () => {
    await using replicated = await startReplicated()
    await using proxy = await startTcpProxy(replicated.primary.port)
    const url = replicated.primary
      .url(replicated.database)
      .replace(`:${replicated.primary.port}/`, `:${proxy.port}/`)
    const environment = { DATABASE_URL: url, JWT_SECRET: generateSecret(), DRAIN_SECONDS: '0' }
    await using child = await startChild({ environment })
    const writer = await openNode(url)
    const kept = await writer.append('kept')
    await replicated.fallBehind()
    const lost = await writer.append('lost')
    await writer[Symbol.asyncDispose]()
    await replicated.promote()
    // Messages of a node that has not noticed anything. The number of messages hides the loss.
    const promoted = replicated.standby.url(replicated.database)
    for (let sequence = 2; sequence < 5; sequence++) {
      await replicated.standby.query(
        replicated.database,
        `insert into parley.messages values (${sequence}, 'u', 'someone', null, 0, '"unnoticed"')`,
      )
    }
    proxy.retarget(replicated.standby.port)
    const log = await child.output()
    expect(log.exitCode).toBe(1)
    expect(log.text).toContain('has lost messages that clients have received')
    await using node = await openNode(promoted)
    expect(await node.log.readAfter(kept.id, 10)).toBe('gone')
    expect(await node.log.readAfter(lost.id, 10)).toBe('gone')
    expect(await textsOf(node.log.readAfter(undefined, 10))).toEqual(['kept', ...Array(3).fill('unnoticed')])
  })

  test('that has every commit, clients keep their positions', async () => {
    await using replicated = await startReplicated()
    const settings = { DATABASE_REPLICATION: 'synchronous' }
    const before = await openNode(replicated.primary.url(replicated.database), settings)
    const { id } = await before.append('kept')
    await replicated.fallBehind()
    await before[Symbol.asyncDispose]()
    await replicated.promote()
    await using after = await openNode(replicated.standby.url(replicated.database), settings)
    expect(after.log.head()).toBe(id)
    await after.append('next')
    expect(await textsOf(after.log.readAfter(id, 10))).toEqual(['next'])
  })
})
