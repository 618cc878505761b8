// `bun run docs` updates the generated parts of the Markdown files from the documents and .env.example. A
// generated part is between `<!-- NAME: written by bun run docs -->` and `<!-- end of NAME -->`; the rest of
// a file does not change. With --check, nothing is written, and the command fails if a file is out of date.
import { readSettings } from '../src/commands/settings.ts'
import { benchmark, benchmarkHistory, chartImages, charts, targets } from './docs-benchmark.ts'
import { exampleProblem, frameExamples, requestExamples } from './docs-examples.ts'
import { settingsFaults, settingsTable } from './docs-settings.ts'
import {
  catalogue,
  closeCodes,
  loginGuard,
  rateLimitHeaders,
  rateLimits,
  readiness,
  servicePaths,
  sizes,
  statuses,
} from './docs-tables.ts'

const root = new URL('../', import.meta.url)
const settings = readSettings(await Bun.file(new URL('.env.example', root)).text())
const faults = settingsFaults(settings)

const files: Readonly<Record<string, Readonly<Record<string, () => string>>>> = {
  'README.md': {
    configuration: () => settingsTable(settings),
    benchmark: targets,
    charts: chartImages,
  },
  'docs/rate-limiting.md': {
    'rate limits': rateLimits,
    headers: rateLimitHeaders,
    'login guard': loginGuard,
  },
  'docs/errors.md': { 'example problem': exampleProblem, statuses, problems: catalogue, limits: sizes },
  'docs/realtime.md': { 'close codes': closeCodes },
  'docs/examples.md': { requests: requestExamples, frames: frameExamples },
  'docs/performance.md': { benchmark, 'benchmark history': benchmarkHistory },
  'docs/operating.md': { 'service paths': servicePaths, readiness },
}

async function update(path: string, before: string, after: string) {
  if (after === before) return
  if (process.argv.includes('--check')) faults.push(`${path} is out of step: run \`bun run docs\``)
  else await Bun.write(new URL(path, root), after)
}

for (const [path, regions] of Object.entries(files)) {
  const before = await Bun.file(new URL(path, root)).text()
  let after = before
  for (const [name, render] of Object.entries(regions)) {
    const [start, end] = [`<!-- ${name}: written by bun run docs -->`, `<!-- end of ${name} -->`]
    const [from, to] = [after.indexOf(start), after.indexOf(end)]
    if (from === -1 || to < from) faults.push(`${path} has no region "${name}"`)
    else after = `${after.slice(0, from)}${start}\n\n${render()}\n\n${after.slice(to)}`
  }
  await update(path, before, after)
}
for (const { file, svg } of charts) {
  const path = `docs/benchmark/${file}`
  const existing = Bun.file(new URL(path, root))
  await update(path, (await existing.exists()) ? await existing.text() : '', svg)
}
for (const fault of faults) console.error(fault)
process.exit(faults.length === 0 ? 0 : 1)
