import { expect, test } from 'bun:test'
import { openSqlite } from '../../../../src/storage/sqlite/connection.ts'
import { FolderInUse } from '../../../../src/storage/sqlite/folder-lock.ts'
import { temporaryFolder } from '../../support/service.ts'

test('every commit is written to the disk before it is acknowledged', async () => {
  await using folder = await temporaryFolder()
  const { queries, close } = openSqlite(folder.path)
  const pragma = (name: string) => queries.$client.query(`pragma ${name}`).values()[0]?.[0]
  // 2 is FULL: the WAL is synchronised at each commit.
  expect([pragma('journal_mode'), pragma('synchronous'), pragma('foreign_keys')]).toEqual(['wal', 2, 1])
  close()
})

test('a folder serves one process at a time', async () => {
  await using folder = await temporaryFolder()
  const first = openSqlite(folder.path)
  expect(() => openSqlite(folder.path)).toThrow(FolderInUse)
  first.close()
  openSqlite(folder.path).close()
})
