// Compares both documents with those of the last release: `bun run spec:diff`. A breaking change fails
// unless the major version has been increased.
//
//   bun scripts/spec-diff.ts [folder of the release] [folder of the revision]
//
// With --release (`bun run release:spec`), the version has to be increased for every change, as required by
// Semantic Versioning. Then the revision is copied to the folder of the release.
import { copyFile, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { redocly } from './redocly.ts'

const documents = ['openapi.yaml', 'asyncapi.yaml']
const project = resolve(import.meta.dirname, '..')
const { values, positionals } = parseArgs({
  options: { release: { type: 'boolean' } },
  allowPositionals: true,
})
const released = positionals[0] ?? join(project, 'spec/released')
const revision = positionals[1] ?? join(project, 'spec')

async function majorVersion(path: string): Promise<number> {
  const { info } = Bun.YAML.parse(await readFile(path, 'utf8')) as { info: { version: string } }
  return Number.parseInt(info.version, 10)
}

let failed = false
for (const document of documents) {
  const [before, after] = [join(released, document), join(revision, document)]
  const isNewMajor = (await majorVersion(after)) > (await majorVersion(before))
  const rules = values.release
    ? ['--check-version', '--fail-on', 'none']
    : ['--fail-on', isNewMajor ? 'none' : 'major']
  const { exitCode } = await redocly([
    'diff',
    before,
    after,
    '--config',
    join(project, 'redocly.yaml'),
    ...rules,
  ])
  failed ||= exitCode !== 0
}
if (values.release && !failed) {
  for (const document of documents) await copyFile(join(revision, document), join(released, document))
}
process.exit(failed ? 1 : 0)
