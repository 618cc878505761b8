import { Database as Sqlite } from 'bun:sqlite'
import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { chmod, copyFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { failureOf, mainFile, runCommand, runJson, spawnCommand } from '../support/command.ts'
import { namesIn, startIn, stoppedService } from '../support/restores.ts'

// Each test starts several processes, which takes longer than the default timeout on a busy machine.
setDefaultTimeout(180_000)

describe('a restore is refused, and the database stays in use,', () => {
  async function expectRefusal(
    prepare: (paths: { file: string; folder: string }) => Promise<unknown>,
    message: string,
  ) {
    const { folder, dataDir, backup } = await stoppedService(['newer'])
    await using _ = folder
    const file = join(folder.path, 'other.sqlite')
    await copyFile(backup, file)
    await prepare({ file, folder: folder.path })
    const names = await namesIn(dataDir)
    expect(await failureOf(['restore', file], { dataDir })).toStartWith(`${file} ${message}`)
    expect(await namesIn(dataDir)).toEqual(names)
    await using service = await startIn(dataDir)
    expect((await service.read(await service.logIn('alice'))).texts).toEqual(['kept', 'newer'])
  }

  test('if the backup does not exist', () =>
    expectRefusal(({ file }) => Bun.file(file).delete(), 'does not exist. Nothing was changed.'))

  test('if it is not a database', () =>
    expectRefusal(
      ({ file }) => writeFile(file, 'a text'),
      'is not a SQLite database. Use another backup. Nothing was changed.',
    ))

  test('if it is truncated', () =>
    expectRefusal(
      async ({ file }) => writeFile(file, (await readFile(file)).subarray(0, 8192)),
      'is truncated: it has 8192 of ',
    ))

  test('if its pages are damaged', () =>
    expectRefusal(async ({ file }) => {
      const bytes = await readFile(file)
      bytes.fill(0xff, 4096 * 3, 4096 * 5)
      await writeFile(file, bytes)
    }, 'is damaged ('))

  test('if it is a database of another program', () =>
    expectRefusal(async ({ file }) => {
      await Bun.file(file).delete()
      using other = new Sqlite(file)
      other.run('create table users (name text)')
    }, 'is a database of another program. Nothing was changed.'))

  test('if a newer release has written it', () =>
    expectRefusal(async ({ file }) => {
      using newer = new Sqlite(file)
      newer.run("insert into __drizzle_migrations (hash, created_at) values ('9999_later', 9999999999999)")
      newer.run('pragma user_version = 9001002')
    }, 'was written by Parley 9.1.2; this is Parley '))

  test('if DATA_DIR is mistyped', async () => {
    const { folder, dataDir, backup } = await stoppedService()
    await using _ = folder
    expect(await failureOf(['restore', backup], { dataDir: `${dataDir}x` })).toBe(
      `DATA_DIR: ${dataDir}x does not exist. Create it, or change DATA_DIR.`,
    )
    expect(existsSync(`${dataDir}x`)).toBe(false)
  })

  test('if the file is the database itself', async () => {
    const { folder, dataDir } = await stoppedService()
    await using _ = folder
    const file = join(dataDir, 'parley.sqlite')
    expect(await failureOf(['restore', file], { dataDir })).toBe(
      `${file} is the database itself. Nothing was changed.`,
    )
  })

  test('while another program has opened the database', async () => {
    const { folder, dataDir, backup } = await stoppedService()
    await using _ = folder
    using other = new Sqlite(join(dataDir, 'parley.sqlite'))
    other.query('select 1 from users').get()
    expect(await failureOf(['restore', backup], { dataDir })).toContain('is locked by another program')
  }, 60_000)
})

test('a restore that reaches a limit on file sizes, as on a full disk, changes nothing', async () => {
  const { folder, dataDir, backup } = await stoppedService(['newer'])
  await using _ = folder
  const names = await namesIn(dataDir)
  const script = 'trap "" XFSZ; ulimit -f 64; exec "$@"'
  const child = Bun.spawn(['sh', '-c', script, 'sh', process.execPath, mainFile, 'restore', backup], {
    env: { PATH: process.env.PATH, DATA_DIR: dataDir },
    stdout: 'pipe',
    stderr: 'pipe',
  })
  expect(await new Response(child.stderr).text()).toMatch(/^The command failed: [^\n]*\n$/)
  expect(await child.exited).toBe(1)
  expect(await namesIn(dataDir)).toEqual(names)
  await using service = await startIn(dataDir)
  expect((await service.read(await service.logIn('alice'))).texts).toEqual(['kept', 'newer'])
})

test('of two restores at once, one succeeds or both do, one after the other', async () => {
  const { folder, dataDir, backup } = await stoppedService(['newer'])
  await using _ = folder
  const results = await Promise.all([1, 2].map(() => runCommand(['restore', backup], { dataDir })))
  expect(results.map(({ exitCode }) => exitCode)).toContain(0)
  for (const { exitCode, stderr } of results)
    if (exitCode !== 0) expect(stderr).toContain('Nothing was changed')
  await using service = await startIn(dataDir)
  expect((await service.read(await service.logIn('alice'))).texts).toEqual(['kept'])
})

test('a restore that is killed at any moment leaves a database that starts', async () => {
  const { folder, dataDir, backup } = await stoppedService(['newer'])
  await using _ = folder
  const outcomes = new Set<string>()
  for (let delay = 60; delay <= 400 && outcomes.size < 2; delay += 20) {
    const child = spawnCommand(['restore', backup], { dataDir })
    await Bun.sleep(delay)
    child.kill('SIGKILL')
    await child.exited
    await using service = await startIn(dataDir)
    const { texts } = await service.read(await service.logIn('alice'))
    outcomes.add(texts.join())
    expect(['kept', 'kept,newer']).toContain(texts.join())
    await service.stop()
  }
  await runJson(['restore', backup], { dataDir })
  expect((await namesIn(dataDir)).filter((name) => /restoring|-wal|-shm/.test(name))).toEqual([])
})

test('commands refuse a database that a restore has left between two states', async () => {
  const { folder, dataDir } = await stoppedService()
  await using _ = folder
  {
    using sqlite = new Sqlite(join(dataDir, 'parley.sqlite'))
    sqlite.run('pragma journal_mode = delete')
  }
  expect(await failureOf(['users', 'list'], { dataDir })).toContain('a restore was interrupted')
  await chmod(dataDir, 0o700)
  await using service = await startIn(dataDir)
  expect((await runCommand(['users', 'list'], { dataDir })).exitCode).toBe(0)
  await service.stop()
})
