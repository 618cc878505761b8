import { expect, test } from 'bun:test'
import { basename } from 'node:path'

const project = new URL('../..', import.meta.url).pathname

/** Bundles the service as `bun run build` does, and returns what each file imports when it is loaded. */
async function bundle() {
  const { outputs } = await Bun.build({
    entrypoints: [`${project}src/main.ts`],
    target: 'bun',
    format: 'esm',
    splitting: true,
  })
  const transpiler = new Bun.Transpiler({ loader: 'js' })
  const files = new Map<string, { text: string; imports: string[] }>()
  for (const output of outputs.filter(({ path }) => path.endsWith('.js'))) {
    const text = await output.text()
    const imports = transpiler.scanImports(text).filter(({ kind }) => kind !== 'dynamic-import')
    files.set(basename(output.path), { text, imports: imports.map(({ path }) => path) })
  }
  return files
}

/** The files that a start loads, and the modules outside the bundle that these import. */
async function loadedAtStart() {
  const files = await bundle()
  const loaded = new Set<string>()
  const modules = new Set<string>()
  function load(name: string): void {
    if (loaded.has(name)) return
    loaded.add(name)
    for (const path of files.get(name)?.imports ?? []) {
      if (path.startsWith('./')) load(basename(path))
      else modules.add(path.replace('node:', ''))
    }
  }
  load('main.js')
  const text = [...loaded].map((name) => files.get(name)?.text).join('\n')
  return { modules: [...modules].sort(), text, all: [...files.values()].map((file) => file.text).join('\n') }
}

test('a start loads no module of Node that loads its streams, and no complete document', async () => {
  const { modules, text, all } = await loadedAtStart()
  expect(modules).toEqual(['bun:sqlite', 'fs', 'os', 'path'])
  // A sentence of a description in openapi.yaml. Pages import it on demand.
  const description = 'Branch on'
  expect(all).toContain(description)
  expect(text).not.toContain(description)
})
