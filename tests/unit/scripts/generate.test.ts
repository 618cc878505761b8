import { expect, test } from 'bun:test'
import { cp, readFile, symlink, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { temporaryFolder } from '../support/service.ts'

const project = resolve(import.meta.dirname, '../../..')

/** Runs `bun run generate` in a copy of the project, after `edit` has changed one of its documents. */
async function generate(document: 'openapi' | 'asyncapi', edit: (text: string) => string) {
  await using folder = await temporaryFolder()
  for (const name of ['package.json', 'tsconfig.json', 'client', 'scripts', 'spec', 'src']) {
    await cp(join(project, name), join(folder.path, name), { recursive: true })
  }
  await symlink(join(project, 'node_modules'), join(folder.path, 'node_modules'))
  const file = join(folder.path, 'spec', `${document}.yaml`)
  await writeFile(file, edit(await readFile(file, 'utf8')))
  const child = Bun.spawn([process.execPath, 'scripts/generate.ts'], {
    cwd: folder.path,
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const errors = await new Response(child.stderr).text()
  return { exitCode: await child.exited, errors }
}

test('documents whose keywords are all enforced are accepted', async () => {
  expect(await generate('openapi', (text) => text)).toEqual({ exitCode: 0, errors: '' })
})

const places = [
  ['a body', 'openapi', '    Username:\n', 'requestBody/properties/username/contentEncoding'],
  ['a frame', 'asyncapi', '    PingFrame:\n', 'PingFrame/contentEncoding'],
] as const
for (const [place, document, schema, location] of places) {
  test(`a keyword in ${place} that no validator enforces is refused, with its location`, async () => {
    const { exitCode, errors } = await generate(document, (text) => {
      expect(text).toContain(schema)
      return text.replace(schema, `${schema}      contentEncoding: base64\n`)
    })
    expect(errors).toContain(`${location}: this keyword is not supported`)
    expect(exitCode).toBe(1)
  })
}
