import { describe, expect, test } from 'bun:test'
import { SQL } from 'bun'
import { UnusableStorage } from '../../src/storage/errors.ts'
import { checkServer } from '../../src/storage/postgres/connection.ts'
import { skipsPostgres, startPostgres } from '../fixtures/postgres-server.ts'
import { createDatabase, openNode } from './support/postgres.ts'
import { sharedPostgres, stopPostgresAfterTests } from './support/postgres-server.ts'

stopPostgresAfterTests()

/** The message with which the service refuses to start. */
async function refusalOf(url: string): Promise<string> {
  try {
    await (await openNode(url))[Symbol.asyncDispose]()
  } catch (error) {
    expect(error).toBeInstanceOf(UnusableStorage)
    return (error as Error).message
  }
  return 'it starts'
}

async function run(url: string, statement: string): Promise<void> {
  await (await sharedPostgres()).query(new URL(url).pathname.slice(1), statement)
}

describe.skipIf(skipsPostgres)('the service refuses to start, and names the reason, if', () => {
  test('the server cannot be reached', async () => {
    const message = await refusalOf('postgres://someone:secret@127.0.0.1:1/parley')
    expect(message).toStartWith('DATABASE_URL: the PostgreSQL server at 127.0.0.1:1 cannot be reached.')
    expect(message).not.toContain('secret')
  })

  test('the host does not exist', async () => {
    expect(await refusalOf('postgres://no-such-host.invalid/parley')).toContain('no-such-host.invalid:5432')
  })

  test('the database does not exist', async () => {
    const server = await sharedPostgres()
    expect(await refusalOf(server.url('missing'))).toContain('has no database missing. Create it')
  })

  test('the user does not exist', async () => {
    const server = await sharedPostgres()
    expect(await refusalOf(server.url('postgres').replace('postgres@', 'nobody:secret@'))).toContain(
      'refuses the user nobody',
    )
  })

  test('the user may not create the schema', async () => {
    const url = await createDatabase()
    const server = await sharedPostgres()
    const role = `limited_${new URL(url).pathname.slice(1)}`
    await server.query('postgres', `create role ${role} login`)
    expect(await refusalOf(url.replace('postgres@', `${role}@`))).toContain(
      'may not create the schema "parley"',
    )
  })

  test('the user may not use the tables that another one has created', async () => {
    const url = await createDatabase()
    await (await openNode(url))[Symbol.asyncDispose]()
    const server = await sharedPostgres()
    const role = `other_${new URL(url).pathname.slice(1)}`
    await server.query('postgres', `create role ${role} login`)
    expect(await refusalOf(url.replace('postgres@', `${role}@`))).toContain(
      `the user ${role} may not use the schema "parley"`,
    )
  })

  test('the database allows reading only', async () => {
    const url = await createDatabase()
    await run(url, `alter database ${new URL(url).pathname.slice(1)} set default_transaction_read_only = on`)
    expect(await refusalOf(url)).toContain('default_transaction_read_only')
  })

  test('commits are not durable', async () => {
    const url = await createDatabase()
    await run(url, `alter database ${new URL(url).pathname.slice(1)} set synchronous_commit = off`)
    expect(await refusalOf(url)).toContain('synchronous_commit')
  })

  test('the database is not in UTF8', async () => {
    const server = await sharedPostgres()
    await server.query('postgres', "create database latin encoding 'LATIN1' template template0")
    expect(await refusalOf(server.url('latin'))).toContain('in the encoding LATIN1')
  })

  test('another program has created the schema', async () => {
    const url = await createDatabase()
    await run(url, 'create schema parley; create table parley.something (id int)')
    expect(await refusalOf(url)).toContain('that Parley did not create')
  })

  test('a newer release has migrated the database, which is not changed', async () => {
    const url = await createDatabase()
    await (await openNode(url))[Symbol.asyncDispose]()
    await run(url, "insert into parley.migrations (tag, release) values ('9999_future', '9.0.0')")
    const message = await refusalOf(url)
    expect(message).toContain('was migrated by Parley 9.0.0')
    expect(message).toContain('9999_future')
  })

  test('the server is a replica', async () => {
    // A server that recovers and waits for a primary answers only reads.
    await using replica = await startPostgres(['hot_standby=on'], { standby: true })
    expect(await refusalOf(replica.url('postgres'))).toContain(
      'is a read-only replica. Connect to the primary.',
    )
  })
})

test('a server that is too old, and a pooler that ignores settings, are refused', () => {
  const usable = {
    encoding: 'UTF8',
    isReplica: false,
    isReadOnly: false,
    isDurable: true,
    keepsSettings: true,
  }
  const url = 'postgres://someone:secret@db.example.com/parley'
  const check = (version: number, versionText: string) => () =>
    checkServer({ ...usable, version, versionText }, url)
  expect(check(140_011, '14.11')).toThrow(
    'DATABASE_URL: the server at db.example.com:5432 runs PostgreSQL 14.11. Parley needs version 15 or newer.',
  )
  expect(check(150_000, '15.0')).not.toThrow()
  expect(check(180_004, '18.4')).not.toThrow()
  const pooler = { ...usable, version: 150_000, versionText: '15.0', keepsSettings: false }
  expect(() => checkServer(pooler, url)).toThrow(
    'is a connection pooler that ignores the settings of a session',
  )
})

describe.skipIf(skipsPostgres)('a database that was opened before', () => {
  test('is opened again, with its messages', async () => {
    const url = await createDatabase()
    await using first = await openNode(url)
    const { id } = await first.append('stored')
    await using second = await openNode(url)
    expect(second.log.head()).toBe(id)
  })

  test('has a different place than its copy, also if the role may not read the identifier of the cluster', async () => {
    const [url, other] = [await createDatabase(), await createDatabase()]
    const role = `uninformed_${new URL(url).pathname.slice(1)}`
    const server = await sharedPostgres()
    await server.query('postgres', `create role ${role} login`)
    const places: unknown[] = []
    for (const each of [url, other]) {
      await (await openNode(each))[Symbol.asyncDispose]()
      await run(
        each,
        `grant usage on schema parley to ${role}; grant select on parley.message_log to ${role}`,
      )
      await run(each, 'revoke execute on function pg_control_system() from public')
      await using client = new SQL(each.replace('postgres@', `${role}@`), { max: 1 })
      const [row] = await client`select parley.log_place() as place, parley.log_origin() as origin`
      // Without the identifier of the cluster, the origin of the log is unknown.
      expect(row.origin).toBeNull()
      places.push(row.place)
    }
    expect(places[0]).toStartWith('unknown/')
    expect(places[1]).not.toBe(places[0])
  })
})
