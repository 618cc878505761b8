import { Database as Sqlite } from 'bun:sqlite'
import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { chown, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { connect } from '../support/chat-client.ts'
import { failureOf, runCommand, runJson } from '../support/command.ts'
import { namesIn, type Restored, startIn, stoppedService } from '../support/restores.ts'
import { temporaryFolder } from '../support/service.ts'

// Each test starts several processes, which takes longer than the default timeout on a busy machine.
setDefaultTimeout(180_000)

test('a restore under load: refused while the service runs, works after the stop, and reports a gap', async () => {
  await using folder = await temporaryFolder()
  const dataDir = join(folder.path, 'data')
  const backup = join(folder.path, 'backup.sqlite')
  await using service = await startIn(dataDir)
  await service.register('alice')
  const token = await service.logIn('alice')
  let sending = true
  let sent = 0
  const sender = (async () => {
    while (sending) if ((await service.send(token, `m${sent + 1}`)).status === 200) sent++
  })()
  while (sent < 100) await Bun.sleep(5)
  const sentBefore = sent
  await runJson(['backup', backup], { dataDir })
  const sentAfter = sent
  while (sent < sentAfter + 50) await Bun.sleep(5)

  expect(await failureOf(['restore', backup], { dataDir })).toBe(
    `A service is running on ${dataDir}. Stop it before you restore a backup. Nothing was changed.`,
  )
  expect((await service.send(token, 'still works')).status).toBe(200)
  sending = false
  await sender
  await service.send(token, 'lost')
  const lost = (await service.read(token)).messages.at(-1)?.id
  await service.stop()

  const restored = await runJson<Restored>(['restore', backup], { dataDir })
  expect(restored).toMatchObject({ accounts: 1, newEpoch: true, tokensRevoked: false })
  expect(restored.messages).toBeGreaterThanOrEqual(sentBefore)
  await using again = await startIn(dataDir)
  // The token remains valid, the lost message is reported, and positions are not reused under the same ids.
  expect((await again.read(token, String(lost))).status).toBe(410)
  const socket = await connect(again.url, token, { path: `/?after=${lost}` })
  expect(await socket.next()).toMatchObject({ event: 'gap' })
  const first = await socket.next()
  expect(first).toMatchObject({ event: 'message', message: 'm1' })
  expect(String(first.id).slice(0, 8)).not.toBe(String(lost).slice(0, 8))
  expect((await again.read(token, String(first.id))).texts[0]).toBe('m2')
  await socket.close()
  using replaced = new Sqlite(String(restored.replaced), { readonly: true })
  const [row] = replaced
    .query("select frame ->> 'message' as text from messages order by sequence desc")
    .values()
  expect(row).toEqual(['lost'])
})

describe('the epoch of the log', () => {
  test('stays if the backup contains every message, so that clients resume as usual', async () => {
    const { folder, dataDir, backup, cursor } = await stoppedService()
    await using _ = folder
    expect((await runJson<Restored>(['restore', backup], { dataDir })).newEpoch).toBe(false)
    await using service = await startIn(dataDir)
    const token = await service.logIn('alice')
    await service.send(token, 'next')
    expect(await service.read(token, cursor)).toMatchObject({ status: 200, texts: ['next'] })
  })

  test('changes if a message was sent after the backup, even if it was removed again', async () => {
    const { folder, dataDir, backup, cursor } = await stoppedService(['lost'])
    await using _ = folder
    expect((await runCommand(['messages', 'remove', cursor], { dataDir })).exitCode).toBe(0)
    expect((await runJson<Restored>(['restore', backup], { dataDir })).newEpoch).toBe(true)
    await using service = await startIn(dataDir)
    const token = await service.logIn('alice')
    await service.send(token, 'next')
    expect((await service.read(token, cursor)).status).toBe(410)
    expect((await service.read(token)).texts).toEqual(['kept', 'next'])
  })

  test('changes if the replaced database has another epoch, is damaged or does not exist', async () => {
    const { folder, dataDir, backup } = await stoppedService(['lost'])
    await using _ = folder
    const first = await runJson<Restored>(['restore', backup], { dataDir })
    // The restored database has a new epoch, and the backup the original one.
    expect((await runJson<Restored>(['restore', backup], { dataDir })).newEpoch).toBe(true)
    await writeFile(join(dataDir, 'parley.sqlite'), 'damaged')
    const damaged = await runJson<Restored>(['restore', backup], { dataDir })
    expect(damaged.newEpoch).toBe(true)
    expect(await readFile(String(damaged.replaced), 'utf8')).toBe('damaged')
    const fresh = join(folder.path, 'fresh')
    await mkdir(fresh, { mode: 0o700 })
    expect(await runJson<Restored>(['restore', backup], { dataDir: fresh })).toMatchObject({
      newEpoch: true,
      replaced: null,
      messages: 1,
    })
    expect(await namesIn(fresh)).toEqual(['parley.lock', 'parley.sqlite'])
    expect(existsSync(String(first.replaced))).toBe(true)
  })
})

test('the replaced database can be restored again, with its newest messages', async () => {
  const { folder, dataDir, backup, cursor } = await stoppedService(['newer'])
  await using _ = folder
  const { replaced } = await runJson<Restored>(['restore', backup], { dataDir })
  expect(await runJson<Restored>(['restore', String(replaced)], { dataDir })).toMatchObject({ messages: 2 })
  await using service = await startIn(dataDir)
  const token = await service.logIn('alice')
  expect((await service.read(token)).texts).toEqual(['kept', 'newer'])
  expect((await service.read(token, cursor)).status).toBe(410)
})

test('what a service that was killed had not yet moved from the WAL is in the replaced database', async () => {
  await using folder = await temporaryFolder()
  const dataDir = join(folder.path, 'data')
  const backup = join(folder.path, 'backup.sqlite')
  {
    await using service = await startIn(dataDir)
    await service.register('alice')
    const token = await service.logIn('alice')
    await runJson(['backup', backup], { dataDir })
    await service.send(token, 'only in the WAL')
    service.signal('SIGKILL')
  }
  const { replaced, newEpoch } = await runJson<Restored>(['restore', backup], { dataDir })
  expect(newEpoch).toBe(true)
  using sqlite = new Sqlite(String(replaced), { readonly: true })
  expect(sqlite.query("select frame ->> 'message' from messages").values()).toEqual([['only in the WAL']])
  expect((await namesIn(dataDir)).filter((name) => /-wal|-shm|restoring/.test(name))).toEqual([])
})

describe('after a restore', () => {
  test('tokens are valid again that were revoked since the backup, unless --revoke-all-tokens is given', async () => {
    const { folder, dataDir, backup, token } = await stoppedService()
    await using _ = folder
    await runCommand(['users', 'logout', 'alice'], { dataDir })
    const { stdout, stderr } = await runCommand(['restore', backup], { dataDir })
    expect(stdout).toStartWith('Restored 1 account and 1 message.\nThe replaced database is ')
    expect(stderr).toMatch(/^Warning: changes after the backup are undone, .*--revoke-all-tokens\.\n$/)
    {
      await using service = await startIn(dataDir)
      expect((await service.read(token)).status).toBe(200)
      await service.stop()
    }
    expect(await runJson<Restored>(['restore', backup, '--revoke-all-tokens'], { dataDir })).toMatchObject({
      tokensRevoked: true,
    })
    await using service = await startIn(dataDir)
    expect((await service.read(token)).status).toBe(401)
    expect((await service.read(await service.logIn('alice'))).status).toBe(200)
  })

  test('accounts that were removed since the backup exist again, and are named', async () => {
    const { folder, dataDir, backup } = await stoppedService()
    await using _ = folder
    await runCommand(['users', 'remove', 'alice', '--yes'], { dataDir })
    const { stdout, stderr } = await runCommand(['restore', backup, '--json'], { dataDir })
    expect((JSON.parse(stdout) as Restored).returningUsers).toEqual(['alice'])
    expect(stderr).toContain('Warning: these removed accounts exist again: alice.')
  })

  test('commands work before the service starts, and the file is readable only by its owner', async () => {
    const { folder, dataDir, backup } = await stoppedService()
    await using _ = folder
    await runJson(['restore', backup], { dataDir })
    expect((await stat(join(dataDir, 'parley.sqlite'))).mode & 0o777).toBe(0o600)
    expect(await runJson<object[]>(['users', 'list'], { dataDir })).toMatchObject([{ username: 'alice' }])
  })

  test.skipIf(process.getuid?.() !== 0)(
    'the files belong to the user of the service, not to root',
    async () => {
      const { folder, dataDir, backup } = await stoppedService()
      await using _ = folder
      for (const name of [...(await readdir(dataDir)), '']) await chown(join(dataDir, name), 65_534, 65_534)
      await runJson(['restore', backup], { dataDir })
      for (const name of await readdir(dataDir)) expect((await stat(join(dataDir, name))).uid).toBe(65_534)
    },
  )
})

test('a backup of release 1.1.0 can be restored, and is migrated', async () => {
  const { folder, dataDir, backup } = await stoppedService()
  await using _ = folder
  {
    using old = new Sqlite(backup)
    old.run('drop table revoked_tokens')
    for (const table of ['entries', 'memberships', 'rooms', 'room_requests']) old.run(`drop table ${table}`)
    for (const index of ['users_erases_messages', 'users_leaves_rooms']) old.run(`drop index ${index}`)
    for (const column of ['tokens_valid_from', 'removed_at', 'erases_messages', 'leaves_rooms']) {
      old.run(`alter table users drop column ${column}`)
    }
    old.run('alter table message_log drop column removed_through')
    old.run('alter table message_log drop column forgotten_through')
    old.run("delete from __drizzle_migrations where hash <> '0000_initial'")
    old.run('pragma user_version = 1001000')
  }
  expect(await runJson<Restored>(['restore', backup], { dataDir })).toMatchObject({
    accounts: 1,
    messages: 1,
  })
  await using service = await startIn(dataDir)
  expect((await service.read(await service.logIn('alice'))).texts).toEqual(['kept'])
})
