import { expect, test } from 'bun:test'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { buildBinary } from '../fixtures/binary.ts'
import { temporaryFolder } from '../unit/support/service.ts'

const project = join(import.meta.dir, '../..')
const { version, description, dependencies } = await Bun.file(join(project, 'package.json')).json()

async function run(...command: string[]): Promise<void> {
  const child = Bun.spawn([process.execPath, ...command], {
    cwd: project,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const errors = await new Response(child.stderr).text()
  expect({ exitCode: await child.exited, errors }).toMatchObject({ exitCode: 0 })
}

interface Component {
  readonly name: string
  readonly group?: string
  readonly version: string
}

test('the software bill of materials lists each dependency, and is the same twice', async () => {
  await using folder = await temporaryFolder()
  const files = ['first.json', 'second.json'].map((name) => join(folder.path, name))
  for (const file of files) await run('run', 'sbom', file)
  const [first = '', second] = await Promise.all(files.map((file) => Bun.file(file).text()))
  expect(second).toBe(first)
  expect(first).not.toContain(folder.path)

  const { bomFormat, metadata, components } = JSON.parse(first)
  expect({ bomFormat, ...metadata.component }).toMatchObject({
    bomFormat: 'CycloneDX',
    name: 'parley',
    version,
  })
  const listed = Object.fromEntries(
    (components as Component[]).map(({ group, name, version }) => [
      group ? `${group}/${name}` : name,
      version,
    ]),
  )
  expect(listed).toMatchObject(dependencies)
})

test('the program of the image has the same bytes when it is built again', async () => {
  await using folder = await temporaryFolder()
  const file = join(folder.path, 'parley')
  const digests: string[] = []
  for (let build = 0; build < 2; build++) {
    await buildBinary(file)
    digests.push(new Bun.CryptoHasher('sha256').update(await Bun.file(file).bytes()).digest('hex'))
  }
  expect(digests[1]).toBe(digests[0] as string)
})

test('the image names the release in its labels', async () => {
  const dockerfile = await Bun.file(join(project, 'Dockerfile')).text()
  const labels = Object.fromEntries(
    [...dockerfile.matchAll(/org\.opencontainers\.image\.(\w+)="([^"]*)"/g)].map(([, name, value]) => [
      name,
      value,
    ]),
  )
  expect(labels).toEqual({ title: 'Parley', description, version, revision: '$REVISION' })
})

const workflows = join(project, '.github/workflows')

test.each(await readdir(workflows))('%s pins each action to a commit, and may only read', async (name) => {
  const text = await Bun.file(join(workflows, name)).text()
  const actions = [...text.matchAll(/uses: (\S+)(.*)/g)]
  expect(actions).not.toBeEmpty()
  for (const [, action, comment] of actions) {
    expect(action).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40}$/)
    expect(comment).toMatch(/^ # v\d+\.\d+\.\d+$/)
  }
  const { permissions } = Bun.YAML.parse(text) as { permissions: object }
  expect(permissions).toEqual({ contents: 'read' })
})

test('no dependency has a range of versions', async () => {
  const { devDependencies } = await Bun.file(join(project, 'package.json')).json()
  for (const version of Object.values({ ...dependencies, ...devDependencies }))
    expect(version).toMatch(/^\d+\.\d+\.\d+$/)
})
