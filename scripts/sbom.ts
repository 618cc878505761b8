// `bun run sbom [file]` writes the software bill of materials in the format CycloneDX, by default to
// dist/parley.cdx.json. It lists what a production install contains; the same lock file gives the same bytes.
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const project = resolve(import.meta.dirname, '..')
const tools = join(import.meta.dirname, 'sbom')
const file = resolve(process.argv[2] ?? join(project, 'dist/parley.cdx.json'))

async function run(command: readonly string[], cwd: string): Promise<void> {
  // `bun run` names itself as the package manager, but CycloneDX has to ask npm.
  const { npm_execpath, ...env } = process.env
  const child = Bun.spawn([...command], { cwd, env, stdio: ['ignore', 'ignore', 'pipe'] })
  // Shown only if the command fails: npm reports the optional peers that are not installed.
  const errors = await new Response(child.stderr).text()
  if ((await child.exited) !== 0) throw new Error(`${command.join(' ')} failed:\n${errors}`)
}

const install = [process.execPath, 'install', '--frozen-lockfile', '--ignore-scripts', '--silent']
const folder = await mkdtemp(join(tmpdir(), 'parley-sbom-'))
try {
  await run(install, tools)
  for (const name of ['package.json', 'bun.lock', 'bunfig.toml']) {
    await cp(join(project, name), join(folder, name))
  }
  await run([...install, '--production', '--omit=peer'], folder)
  const cyclonedx = join(tools, 'node_modules/@cyclonedx/cyclonedx-npm/bin/cyclonedx-npm-cli.js')
  await run(
    [
      ...['node', cyclonedx, '--omit', 'dev', 'peer', '--ignore-npm-errors', '--output-reproducible'],
      ...['--mc-type', 'application', '--output-file', file, join(folder, 'package.json')],
    ],
    folder,
  )
} finally {
  await rm(folder, { recursive: true })
}
console.log(file)
