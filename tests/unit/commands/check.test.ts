import { Database as Sqlite } from 'bun:sqlite'
import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { cp, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { settingNames } from '../../../src/config.ts'
import { policyNames } from '../../../src/contract/policies.ts'
import { startChild } from '../support/child.ts'
import { runCommand } from '../support/command.ts'
import { temporaryFolder } from '../support/service.ts'

// Each test starts several processes, which takes longer than the default timeout on a busy machine.
setDefaultTimeout(180_000)

interface Check {
  readonly settings: readonly { name: string; value: string | null; source: string }[]
  readonly unknownSettings: readonly { variable: string; setting: string }[]
  readonly dataDir: string
  readonly notes: readonly string[]
  readonly faults: readonly string[]
}

/** Names, contents, modes and times of the files in a folder. */
async function snapshot(path: string): Promise<object> {
  const names = (await readdir(path)).sort()
  return Promise.all(
    names.map(async (name) => {
      const { mode, mtimeMs, size } = await stat(join(path, name))
      return { name, mode, mtimeMs, size, hash: Bun.hash(await readFile(join(path, name))).toString() }
    }),
  )
}

/** Runs the check with and without --json, and expects that both agree and change nothing in the folder. */
async function check(dataDir: string, environment: Readonly<Record<string, string>> = {}) {
  const before = await snapshot(dataDir).catch(() => undefined)
  const text = await runCommand(['check'], { dataDir, environment })
  const json = await runCommand(['check', '--json'], { dataDir, environment })
  expect(await snapshot(dataDir).catch(() => undefined)).toEqual(before)
  const output = JSON.parse(json.stdout) as Check
  for (const fault of output.faults) expect(text.stdout).toContain(`  - ${fault}\n`)
  expect([text.stderr, json.stderr]).toEqual(['', ''])
  const exitCode = output.faults.length > 0 ? 1 : 0
  expect([text.exitCode, json.exitCode]).toEqual([exitCode, exitCode])
  return { ...output, text: text.stdout }
}

/** The folder of a service that has been started and stopped. */
async function usedFolder() {
  const folder = await temporaryFolder()
  const dataDir = join(folder.path, 'data')
  await using service = await startChild({ environment: { DATA_DIR: dataDir, DRAIN_SECONDS: '0' } })
  await service.stop()
  return { ...folder, dataDir }
}

test('every setting is shown with the value that takes effect', async () => {
  await using folder = await temporaryFolder()
  const { settings, text } = await check(folder.path, { PORT: ' 8080 ', LOG_LEVEL: '' })
  expect(settings.map(({ name }) => name).sort()).toEqual(settingNames(policyNames).sort())
  expect(settings).toContainEqual({ name: 'PORT', value: '8080', source: 'environment' })
  expect(settings).toContainEqual({ name: 'LOG_LEVEL', value: 'info', source: 'default' })
  expect(settings).toContainEqual({ name: 'JWT_SECRET', value: null, source: 'default' })
  expect(text).toMatch(/^PORT +8080 +environment$/m)
  expect(text).toEndWith('The service can start.\n')
})

test('secrets and keys are hidden', async () => {
  await using folder = await temporaryFolder()
  const values = ['JWT_SECRET', 'JWT_SECRET_PREVIOUS', 'JWT_PRIVATE_KEY', 'JWT_PRIVATE_KEY_PREVIOUS'].map(
    (name) => [name, `value of ${name} 9f1c7be2a4d05e6831`] as const,
  )
  const { settings, text } = await check(folder.path, Object.fromEntries(values))
  for (const [name, value] of values) {
    expect(settings).toContainEqual({ name, value: '(hidden)', source: 'environment' })
    expect(text + JSON.stringify(settings)).not.toContain(value)
  }
})

test('all faults of the settings, the folder and the keys are reported at once', async () => {
  await using folder = await usedFolder()
  await writeFile(join(folder.dataDir, 'jwt-secret'), 'short')
  await writeFile(join(folder.dataDir, 'parley.sqlite'), 'damaged')
  const settings = { PORT: 'x', MAX_SOCKETS: '0', HOST: 'http://a' }
  const { faults } = await check(folder.dataDir, settings)
  for (const subject of ['PORT', 'MAX_SOCKETS', 'HOST', `${folder.dataDir}/parley.sqlite`]) {
    expect(faults.filter((fault) => fault.startsWith(subject))).toHaveLength(1)
  }
})

test('a key file that cannot be used is a fault', async () => {
  await using folder = await usedFolder()
  await writeFile(join(folder.dataDir, 'jwt-secret'), 'short')
  const { faults } = await check(folder.dataDir)
  expect(faults).toHaveLength(1)
  expect(faults[0]).toStartWith(`DATA_DIR: ${folder.dataDir}/jwt-secret is too short`)
})

test('a misspelt setting is a warning', async () => {
  await using folder = await temporaryFolder()
  const { unknownSettings, text, faults } = await check(folder.path, { MAX_SOCKET: 'secret value' })
  expect(unknownSettings).toEqual([{ variable: 'MAX_SOCKET', setting: 'MAX_SOCKETS' }])
  expect(faults).toEqual([])
  expect(text).toContain('MAX_SOCKET is not a setting and has no effect. Did you mean MAX_SOCKETS?')
  expect(text).not.toContain('secret value')
})

test('a host that does not resolve is a fault', async () => {
  await using folder = await temporaryFolder()
  const { faults } = await check(folder.path, { HOST: '300.1.1.1' })
  expect(faults[0]).toStartWith('HOST: 300.1.1.1 is neither an address nor a name')
})

describe('the data folder is examined and not changed', () => {
  test('if it does not exist', async () => {
    await using folder = await temporaryFolder()
    const dataDir = join(folder.path, 'new')
    const { notes, faults } = await check(dataDir)
    expect(faults).toEqual([])
    expect(notes).toEqual([`${dataDir} does not exist. The first start creates it.`])
    expect(await readdir(folder.path)).toEqual([])
  })

  test('if it is empty', async () => {
    await using folder = await temporaryFolder()
    const { notes } = await check(folder.path)
    expect(notes).toEqual([`${folder.path} contains no database. The first start creates it.`])
  })

  test('if the service is stopped', async () => {
    await using folder = await usedFolder()
    expect(await check(folder.dataDir)).toMatchObject({ notes: [], faults: [] })
  })

  test('while the service runs', async () => {
    await using folder = await temporaryFolder()
    await using _ = await startChild({ environment: { DATA_DIR: folder.path } })
    const { notes, faults } = await check(folder.path)
    expect([notes, faults]).toEqual([[`A service is running on ${folder.path}.`], []])
  })

  test('after the service was killed', async () => {
    await using folder = await temporaryFolder()
    {
      await using service = await startChild({ environment: { DATA_DIR: folder.path } })
      service.signal('SIGKILL')
    }
    const { notes, faults } = await check(folder.path)
    expect(faults).toEqual([])
    expect(notes.join()).toContain('parley.sqlite-wal contains changes of a service that was killed')
  })

  test('if a migration is pending', async () => {
    await using folder = await usedFolder()
    {
      using sqlite = new Sqlite(join(folder.dataDir, 'parley.sqlite'))
      sqlite.run("delete from __drizzle_migrations where hash <> '0000_initial'")
    }
    const { notes, faults } = await check(folder.dataDir)
    expect(faults).toEqual([])
    expect(notes).toContain('The next start applies the migration 0001_account_lifecycle.')
  })

  test.each<[string, (dataDir: string) => Promise<unknown>, RegExp]>([
    ['a file instead of the folder', (path) => writeFile(path, ''), /is not a folder/],
    ['a folder below a file', async () => {}, /cannot be created, because .* is a file/],
    [
      'a folder instead of the database',
      (path) => mkdir(join(path, 'parley.sqlite'), { recursive: true }),
      /parley\.sqlite is not a file/,
    ],
    [
      'a -wal file without its database',
      async (path) => {
        await mkdir(path)
        await writeFile(join(path, 'parley.sqlite-wal'), 'x')
      },
      /parley\.sqlite is missing, but its -wal file/,
    ],
    [
      'a database of another program',
      async (path) => {
        await mkdir(path)
        using other = new Sqlite(join(path, 'parley.sqlite'))
        other.run('create table users (name text)')
      },
      /is a database of another program/,
    ],
  ])('if there is %s, which is a fault', async (name, prepare, message) => {
    await using folder = await temporaryFolder()
    const file = join(folder.path, 'file')
    await writeFile(file, '')
    const dataDir = join(name.endsWith('below a file') ? file : folder.path, 'data')
    await prepare(dataDir)
    const { faults } = await check(dataDir)
    expect(faults).toHaveLength(1)
    expect(faults[0]).toMatch(message)
  })

  test('if a newer release has migrated the database, which is a fault', async () => {
    await using folder = await usedFolder()
    const copy = join(folder.path, 'copy')
    await cp(folder.dataDir, copy, { recursive: true })
    {
      using sqlite = new Sqlite(join(copy, 'parley.sqlite'))
      sqlite.run("insert into __drizzle_migrations (hash, created_at) values ('9999_later', 9999999999999)")
      sqlite.run('pragma user_version = 9001002')
    }
    const { faults } = await check(copy)
    expect(faults).toHaveLength(1)
    expect(faults[0]).toContain('was written by Parley 9.1.2')
    const users = await runCommand(['users', 'list'], { dataDir: copy })
    expect([users.exitCode, users.stderr]).toEqual([1, `${faults[0]}\n`])
  })
})

test('commands refuse a database with pending migrations, and say what to do', async () => {
  await using folder = await usedFolder()
  {
    using sqlite = new Sqlite(join(folder.dataDir, 'parley.sqlite'))
    sqlite.run("delete from __drizzle_migrations where hash <> '0000_initial'")
    sqlite.run('pragma user_version = 1001000')
  }
  const { exitCode, stderr } = await runCommand(['users', 'list'], { dataDir: folder.dataDir })
  expect(exitCode).toBe(1)
  expect(stderr).toMatch(
    /was last used by Parley 1\.1\.0; this is Parley .* Start the service of this release/,
  )
})
