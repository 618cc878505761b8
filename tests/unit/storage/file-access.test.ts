import { expect, test } from 'bun:test'
import { UnusableStorage } from '../../../src/storage/errors.ts'
import { explainAccess } from '../../../src/storage/file-access.ts'

test.each([
  ['EROFS', 'is on a read-only file system'],
  ['ENOSPC', 'The file system of /data/parley.sqlite is full'],
  ['SQLITE_FULL', 'The file system of /data/parley.sqlite is full'],
  ['EDQUOT', 'The disk quota for /data/parley.sqlite is used up'],
  ['SQLITE_BUSY', 'is locked by another program'],
  ['SQLITE_IOERR_READ', 'cannot be used (the message of the system)'],
])('the message for %s names the setting, the path, the cause and the remedy', (code, cause) => {
  const error = Object.assign(new Error('the message of the system'), { code })
  const explained = explainAccess(error, { path: '/data/parley.sqlite', variable: 'DATA_DIR' })
  expect(explained).toBeInstanceOf(UnusableStorage)
  expect(explained.message).toStartWith('DATA_DIR: ')
  expect(explained.message).toContain('/data/parley.sqlite')
  expect(explained.message).toContain(cause)
  expect(explained.message).toEndWith('or change DATA_DIR.')
  expect(explained.cause).toBe(error)
})
