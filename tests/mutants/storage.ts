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
  {
    id: 'pending-migrations-left-out',
    breaks: 'A database of an earlier release is upgraded, however many migrations it needs.',
    file: 'src/storage/sqlite/connection.ts',
    find: 'if (pendingMigrations(sqlite).length > 0) migrate',
    replace: 'if (pendingMigrations(sqlite).length > 2) migrate',
    tests: [`${unit}/auth/revocation.test.ts`],
  },
]
