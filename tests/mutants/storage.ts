import type { Mutant } from './list.ts'

const unit = 'tests/unit'

/** Changes of the storage, the log and the configuration. */
export const storageMutants: readonly Mutant[] = [
  {
    id: 'lost-database-is-ignored',
    breaks: 'Nothing is acknowledged after the database was removed.',
    file: 'src/storage/sqlite/file-guard.ts',
    find: '      const result = work()\n      requireIntact()\n',
    replace: '      const result = work()\n',
    tests: [`${unit}/storage/sqlite/file-guard.test.ts`],
  },
  {
    id: 'erased-text-remains-in-file',
    breaks: 'Erased messages leave no text in the files.',
    file: 'src/storage/sqlite/connection.ts',
    find: "  sqlite.run('pragma secure_delete = on')\n",
    replace: '',
    tests: ['tests/storage/sqlite-message-log.test.ts'],
  },
]
