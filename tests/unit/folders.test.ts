import { expect, test } from 'bun:test'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { temporaryFolder } from './support/service.ts'

const project = new URL('../..', import.meta.url).pathname

const forbidden: readonly [path: string, specifier: string][] = [
  ['src/contract/a.ts', '../limits/b.ts'],
  ['src/contract/a.ts', '../app.ts'],
  ['src/contract/a.ts', '../metrics/b.ts'],
  ['src/metrics/a.ts', '../limits/b.ts'],
  ['src/metrics/a.ts', '../chats/b.ts'],
  ['src/storage/a.ts', '../metrics/b.ts'],
  ['src/chats/a.ts', 'prom-client'],
  ['src/http/a.ts', '../metrics/metrics.prometheus.ts'],
  ['src/storage/a.ts', '../limits/b.ts'],
  ['src/storage/sqlite/a.ts', '../../users/b.ts'],
  ['src/limits/a.ts', '../http/b.ts'],
  ['src/limits/a.ts', '../storage/errors.ts'],
  ['src/limits/a.redis.ts', '../http/b.ts'],
  ['src/http/a.ts', '../auth/b.ts'],
  ['src/http/a.ts', '../users/b.ts'],
  ['src/http/a.ts', '../chats/b.ts'],
  ['src/http/a.ts', '../storage/errors.ts'],
  ['src/pages/a.ts', '../chats/b.ts'],
  ['src/users/a.ts', '../auth/b.ts'],
  ['src/auth/a.ts', '../chats/b.ts'],
  ['src/auth/a.ts', '../rooms/b.ts'],
  ['src/rooms/a.ts', '../chats/b.ts'],
  ['src/chats/a.ts', '../pages/b.ts'],
  ['src/chats/a.ts', '../server.ts'],
  ['src/users/a.ts', 'drizzle-orm'],
  ['src/chats/a.ts', 'drizzle-orm/sqlite-core'],
]

const allowed: readonly [path: string, specifier: string][] = [
  ['src/app.ts', './chats/b.ts'],
  ['src/http/a.ts', '../contract/b.ts'],
  ['src/http/a.ts', '../limits/b.ts'],
  ['src/http/a.ts', '../metrics/metrics.ts'],
  ['src/metrics/a.ts', '../contract/b.ts'],
  ['src/metrics/a.prometheus.ts', 'prom-client'],
  ['src/auth/a.ts', '../users/b.ts'],
  ['src/limits/a.redis.ts', '../storage/redis/b.ts'],
  ['src/chats/a.ts', '../http/b.ts'],
  ['src/chats/a.ts', '../rooms/b.ts'],
  ['src/rooms/a.ts', '../users/b.ts'],
  ['src/users/a.sqlite.ts', 'drizzle-orm'],
  ['src/storage/sqlite/a.ts', 'drizzle-orm'],
]

/** Lints one file per import, in a folder with the project's configuration, and returns the linter's output. */
async function lint(imports: readonly (readonly [path: string, specifier: string])[]): Promise<string> {
  await using folder = await temporaryFolder()
  const {
    vcs: _,
    $schema: __,
    ...configuration
  } = JSON.parse(await readFile(join(project, 'biome.json'), 'utf8'))
  await writeFile(join(folder.path, 'biome.json'), JSON.stringify(configuration))
  for (const [index, [path, specifier]] of imports.entries()) {
    const file = join(folder.path, dirname(path), `case-${index}${path.slice(path.indexOf('.'))}`)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, `import { something } from '${specifier}'\n\nconsole.log(something)\n`)
  }
  const child = Bun.spawn(
    [process.execPath, join(project, 'node_modules/.bin/biome'), 'lint', '--max-diagnostics=none', '.'],
    { cwd: folder.path, stdout: 'pipe', stderr: 'pipe' },
  )
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  return stdout + stderr
}

test('the linter rejects each import against the direction of the dependencies', async () => {
  const output = await lint(forbidden)
  const missed = forbidden.filter(
    (_, index) => !new RegExp(`case-${index}\\.\\S* lint/style/noRestrictedImports`).test(output),
  )
  expect(missed).toEqual([])
})

test('the linter accepts imports along the direction of the dependencies', async () => {
  expect(await lint(allowed)).not.toContain('noRestrictedImports')
})
