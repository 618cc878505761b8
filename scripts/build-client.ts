// `bun run build:client` writes the package @parley/client to client/dist: one module without comments, and
// its types. Applications minify it with their own code.
import { readdir, rm } from 'node:fs/promises'

const client = new URL('../client/', import.meta.url).pathname
const dist = `${client}dist/`
await rm(dist, { recursive: true, force: true })

const { success, logs } = await Bun.build({
  entrypoints: [`${client}src/index.ts`],
  outdir: dist,
  target: 'browser',
  format: 'esm',
})
for (const log of logs) console.error(log)

const types = Bun.spawnSync(
  [process.execPath, 'node_modules/.bin/tsc', '-p', 'client', '--noEmit', 'false'],
  {
    cwd: new URL('..', import.meta.url).pathname,
    stdio: ['ignore', 'inherit', 'inherit'],
  },
)
if (!success || types.exitCode !== 0) process.exit(1)

// The compiler does not rename the imports in declarations.
for (const name of await readdir(dist)) {
  if (!name.endsWith('.d.ts')) continue
  const file = Bun.file(dist + name)
  await Bun.write(file, (await file.text()).replaceAll(/(from '\.\/[^']+)\.ts'/g, "$1.js'"))
}
