import { Database as Sqlite } from 'bun:sqlite'
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { chmodSync, existsSync } from 'node:fs'
import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { failureOf, mainFile, runCommand, runJson, spawnCommand } from '../support/command.ts'
import { bearer, startService, temporaryFolder } from '../support/service.ts'
import { mountTmpfs } from '../support/small-disk.ts'

// Each test starts several processes, which takes longer than the default timeout on a busy machine.
setDefaultTimeout(180_000)

interface Backup {
  readonly file: string
  readonly bytes: number
  readonly accounts: number
  readonly messages: number
}

const service = await startService()
const folder = await temporaryFolder()
const { dataDir } = service
let token = ''

beforeAll(async () => {
  token = (await service.account('sender')).token
})
afterAll(async () => {
  await service[Symbol.asyncDispose]()
  await folder[Symbol.asyncDispose]()
})

const send = (message: string) => service.post('/api/chats/send', { message }, bearer(token))

/** A folder of its own for the backups of one test. */
async function newFolder(): Promise<string> {
  const path = join(folder.path, crypto.randomUUID())
  await mkdir(path)
  return path
}

function readBackup(file: string) {
  using sqlite = new Sqlite(file, { readonly: true })
  return {
    integrity: sqlite.query('pragma integrity_check').values(),
    texts: sqlite
      .query<{ text: string }, []>("select frame ->> 'message' as text from messages order by sequence")
      .all()
      .map(({ text }) => text),
    accounts: sqlite.query('select count(*) from users').values()[0]?.[0],
  }
}

test('a backup of a service under load is consistent and contains everything acknowledged before it', async () => {
  const file = join(await newFolder(), 'backup.sqlite')
  let sending = true
  let sent = 0
  const senders = Array.from({ length: 4 }, async () => {
    while (sending) expect((await send(`m${++sent}`)).status).toBe(200)
  })
  while (sent < 200) await Bun.sleep(5)
  await send('acknowledged before the backup')
  const backup = await runJson<Backup>(['backup', file], { dataDir })
  sending = false
  await Promise.all(senders)

  const { integrity, texts, accounts } = readBackup(file)
  expect(integrity).toEqual([['ok']])
  expect(texts).toContain('acknowledged before the backup')
  expect(texts.length).toBeLessThan(sent + 1)
  const { mode, size } = await stat(file)
  expect(mode & 0o777).toBe(0o600)
  expect(backup).toEqual({ file, bytes: size, messages: texts.length, accounts: accounts as number })
  expect(await readdir(join(file, '..'))).toEqual(['backup.sqlite'])
})

test('the output names the file and its contents', async () => {
  const file = join(await newFolder(), 'backup.sqlite')
  const { stdout, stderr } = await runCommand(['backup', file], { dataDir })
  expect(stderr).toBe('')
  expect(stdout).toMatch(new RegExp(`^Wrote ${file}: 1 account, \\d+ messages?, \\d+ bytes\\.\\n$`))
})

test('an existing file is replaced only with --force, and in one step', async () => {
  const file = join(await newFolder(), 'backup.sqlite')
  await writeFile(file, 'an older backup', { mode: 0o644 })
  expect(await failureOf(['backup', file], { dataDir })).toBe(
    `${file} exists. Choose another name, or replace the file with --force.`,
  )
  expect(await readFile(file, 'utf8')).toBe('an older backup')
  await runJson<Backup>(['backup', file, '--force'], { dataDir })
  expect(readBackup(file).integrity).toEqual([['ok']])
  expect((await stat(file)).mode & 0o777).toBe(0o600)
})

test('of two backups to the same new file at once, one succeeds and the file is complete', async () => {
  const path = await newFolder()
  const file = join(path, 'backup.sqlite')
  const results = await Promise.all([1, 2].map(() => runCommand(['backup', file], { dataDir })))
  expect(results.map(({ exitCode }) => exitCode).sort()).toEqual([0, 1])
  expect(readBackup(file).integrity).toEqual([['ok']])
  expect(await readdir(path)).toEqual(['backup.sqlite'])
})

describe('a backup is refused, and nothing is left behind,', () => {
  test('in a folder that does not exist', async () => {
    const path = join(await newFolder(), 'missing')
    expect(await failureOf(['backup', join(path, 'backup.sqlite')], { dataDir })).toBe(
      `The folder ${path} does not exist. Create it, or choose another one.`,
    )
    expect(existsSync(path)).toBe(false)
  })

  test('under the name of a folder', async () => {
    const path = await newFolder()
    expect(await failureOf(['backup', path, '--force'], { dataDir })).toBe(
      `${path} is not a file. Choose another name.`,
    )
  })

  test.each(['parley.sqlite', 'parley.sqlite-wal', 'parley.lock', 'jwt-secret'])(
    'under the name of the service’s own file %s',
    async (name) => {
      const message = await failureOf(['backup', join(dataDir, name), '--force'], { dataDir })
      expect(message).toStartWith(`${join(dataDir, name)} is a file of the service.`)
    },
  )

  test('if the database is damaged', async () => {
    const path = await newFolder()
    await writeFile(join(path, 'parley.sqlite'), 'not a database')
    const message = await failureOf(['backup', join(path, 'backup.sqlite')], { dataDir: path })
    expect(message).toStartWith(`${path}/parley.sqlite is not a SQLite database.`)
    expect(await readdir(path)).toEqual(['parley.sqlite'])
  })

  test('if pages of the database are damaged', async () => {
    const path = await newFolder()
    const file = join(path, 'parley.sqlite')
    await runJson<Backup>(['backup', file], { dataDir })
    const bytes = await readFile(file)
    bytes.fill(0xff, 4096 * 3, 4096 * 4)
    await writeFile(file, bytes)
    const message = await failureOf(['backup', join(path, 'backup.sqlite')], { dataDir: path })
    expect(message).toContain('damaged')
    expect(await readdir(path)).toEqual(['parley.sqlite'])
  })

  test('in a folder without permission', async () => {
    const path = await newFolder()
    chmodSync(path, 0o500)
    // Permissions also hold for root once it has lost the capability to ignore them.
    const launcher =
      process.getuid?.() === 0 ? ['setpriv', '--bounding-set=-dac_override,-dac_read_search', '--'] : []
    const child = Bun.spawn([...launcher, process.execPath, mainFile, 'backup', join(path, 'b.sqlite')], {
      env: { PATH: process.env.PATH, DATA_DIR: dataDir },
      stderr: 'pipe',
    })
    expect(await new Response(child.stderr).text()).toMatch(
      new RegExp(`^The command failed: ${path}/\\.b\\.sqlite\\S+: permission denied to uid \\d+\\.\\n$`),
    )
    expect(await child.exited).toBe(1)
    expect(await readdir(path)).toEqual([])
  })

  test('on a full disk, and beyond a limit on file sizes', async () => {
    const path = await newFolder()
    // The limit needs no privileges. Where no file system can be mounted, it is the only case.
    await using disk = await mountTmpfs(path)
    const limited = ['sh', '-c', 'trap "" XFSZ; ulimit -f 2048; exec "$@"', 'sh']
    // A database that does not fit on the disk of 16 MiB.
    await using other = await startService()
    using large = other.openFile()
    large.run(
      `insert into messages (sequence, user_id, sent_at, frame)
       with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000)
       select i, 'u', 0, hex(randomblob(500)) from n`,
    )
    for (const launcher of [limited, disk?.launcher]) {
      if (!launcher) continue
      const target = join(path, 'disk')
      const child = Bun.spawn([...launcher, process.execPath, mainFile, 'backup', join(target, 'b.sqlite')], {
        env: { PATH: process.env.PATH, DATA_DIR: other.dataDir },
        stdout: 'pipe',
        stderr: 'pipe',
      })
      expect(await new Response(child.stderr).text()).toBe(
        `The backup could not be written to ${target}: the disk is full or fails.\n`,
      )
      expect(await child.exited).toBe(1)
      const list = Bun.spawn([...launcher, 'ls', '-A', target], { stdout: 'pipe' })
      expect(await new Response(list.stdout).text()).toBe('')
    }
  })
})

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  'a backup that %s ends leaves no file',
  async (signal) => {
    const path = await newFolder()
    await using other = await startService()
    using large = other.openFile()
    large.run(
      `insert into messages (sequence, user_id, sent_at, frame)
     with recursive n(i) as (select 1 union all select i + 1 from n where i < 400000)
     select i, 'u', 0, hex(randomblob(200)) from n`,
    )
    const child = spawnCommand(['backup', join(path, 'backup.sqlite')], { dataDir: other.dataDir })
    while ((await readdir(path)).length === 0 && child.exitCode === null) await Bun.sleep(1)
    const [unfinished = ''] = await readdir(path)
    expect(unfinished).toStartWith('.backup.sqlite.')
    expect((await stat(join(path, unfinished))).mode & 0o777).toBe(0o600)
    child.kill(signal)
    expect(await child.exited).toBeGreaterThan(128)
    expect(await readdir(path)).toEqual([])
  },
)

test('a backup can be written through a symbolic link to the data folder', async () => {
  const path = await newFolder()
  await symlink(dataDir, join(path, 'data'))
  const backup = await runJson<Backup>(['backup', join(path, 'b.sqlite')], { dataDir: join(path, 'data') })
  expect(backup.accounts).toBe(1)
})
