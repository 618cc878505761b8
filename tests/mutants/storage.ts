import type { Mutant } from './list.ts'

const unit = 'tests/unit'
const commitsTest = `${unit}/storage/sqlite/commits.test.ts`

/** Changes of the storage, the log and the configuration. */
export const storageMutants: readonly Mutant[] = [
  {
    id: 'lost-database-is-ignored',
    breaks: 'Nothing is acknowledged after the database was removed.',
    file: 'src/storage/sqlite/file-guard.ts',
    find: '    afterChange: requireIntact,\n',
    replace: '    afterChange() {},\n',
    tests: [`${unit}/storage/sqlite/file-guard.test.ts`],
  },
  {
    id: 'confirmed-before-the-flush',
    breaks: 'A message is confirmed only when the disk has stored it.',
    file: 'src/storage/sqlite/changes.ts',
    find: 'return flushed.then(succeed).then(() => result, fail)',
    replace: 'void flushed',
    tests: [commitsTest],
  },
  {
    id: 'failed-flush-is-forgotten',
    breaks: 'Nothing is stored after the disk has failed.',
    file: 'src/storage/sqlite/changes.ts',
    find: 'guard.lose(',
    replace: 'void (',
    tests: [commitsTest],
  },
  {
    id: 'files-not-examined-after-the-flush',
    breaks: 'Files that disappear during a flush are noticed.',
    file: 'src/storage/sqlite/changes.ts',
    find: 'return flushed.then(succeed)',
    replace: 'return flushed',
    tests: [commitsTest],
  },
  {
    id: 'no-flush-after-a-commit',
    breaks: 'A change that is not a commit of messages is durable when it returns.',
    file: 'src/storage/sqlite/changes.ts',
    find: "          setSynchronous('full')\n",
    replace: '',
    tests: [commitsTest],
  },
  {
    id: 'thread-waits-for-the-disk',
    breaks: 'Requests are answered while a slow disk stores messages.',
    file: 'src/storage/sqlite/wal.ts',
    find: 'fdatasync(descriptor, (error) => (error ? reject(error) : resolve()))',
    replace: 'resolve(fdatasyncSync(descriptor))',
    tests: ['tests/storage/disk-failures.test.ts'],
  },
  {
    id: 'fast-disk-counts-as-slow',
    breaks: 'A disk is slow only if its flushes in a row take long together.',
    file: 'src/storage/sqlite/wal.ts',
    find: 'slow.count > 1 && slow.ms >= slowInRowMs',
    replace: 'slow.count > 1',
    tests: [`${unit}/storage/sqlite/wal.test.ts`],
  },
  {
    id: 'interrupted-disk-counts-as-slow',
    breaks: 'A single flush that takes long does not make a disk slow.',
    file: 'src/storage/sqlite/wal.ts',
    find: 'slow.count > 1 && slow.ms >= slowInRowMs',
    replace: 'slow.ms >= slowInRowMs',
    tests: [`${unit}/storage/sqlite/wal.test.ts`],
  },
  {
    id: 'full-disk-prevents-the-start',
    breaks: 'A service that was killed on a full disk starts again, and its messages can be read.',
    file: 'src/storage/sqlite/connection.ts',
    find: "if (!isTransient(error) || sqliteCode(error)?.endsWith('FSYNC')) throw error",
    replace: 'throw error',
    tests: [`${unit}/storage/sqlite/full-disk-start.test.ts`],
  },
  {
    id: 'leftovers-stay-in-the-wal',
    breaks: 'What a killed process has left is durable before it is read.',
    file: 'src/storage/sqlite/connection.ts',
    find: '    moveLeftovers(sqlite)\n',
    replace: '',
    tests: [commitsTest],
  },
  {
    id: 'erased-text-remains-in-file',
    breaks: 'Erased messages leave no text in the files.',
    file: 'src/storage/sqlite/connection.ts',
    find: "  sqlite.run('pragma secure_delete = on')\n",
    replace: '',
    tests: ['tests/storage/sqlite-message-log.test.ts'],
  },
  {
    id: 'pending-migrations-left-out',
    breaks: 'A database of an earlier release is upgraded, however many migrations it needs.',
    file: 'src/storage/sqlite/connection.ts',
    find: 'if (pendingMigrations(sqlite).length > 0) migrate',
    replace: 'if (pendingMigrations(sqlite).length > 2) migrate',
    tests: [`${unit}/auth/revocation.test.ts`],
  },
]
