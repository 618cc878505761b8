import { afterAll, describe, expect, test } from 'bun:test'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const project = resolve(import.meta.dirname, '../..')
const documents = ['openapi.yaml', 'asyncapi.yaml']
const folders: string[] = []

afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true })
})

/** Copies both documents with changes. Each change replaces a text that one of them contains. */
async function copyOfDocuments(...changes: (readonly [string, string])[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-spec-'))
  folders.push(folder)
  for (const document of documents) await cp(join(project, 'spec', document), join(folder, document))
  for (const [before, after] of changes) {
    let found = false
    for (const document of documents) {
      const path = join(folder, document)
      const text = await readFile(path, 'utf8')
      found ||= text.includes(before)
      await writeFile(path, text.replace(before, after))
    }
    if (!found) throw new Error(`neither document contains: ${before}`)
  }
  return folder
}

async function compare(released: string, revision: string, ...options: string[]) {
  const run = Bun.spawn([process.execPath, 'scripts/spec-diff.ts', ...options, released, revision], {
    cwd: project,
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [stdout, stderr] = await Promise.all([
    new Response(run.stdout).text(),
    new Response(run.stderr).text(),
  ])
  return { exitCode: await run.exited, output: stdout + stderr }
}

const version =
  /^ {2}version: .*$/m.exec(await readFile(join(project, 'spec/openapi.yaml'), 'utf8'))?.[0] ?? ''
const nextMajor = [version, '  version: 99.0.0'] as const
const renamedPath = ['  /api/users/profile:', '  /api/users/me:'] as const
const requiredReason = ['required: [event]', 'required: [event, reason]'] as const
const newSummary = ['summary: Register a new user.', 'summary: Register someone.'] as const

describe('the comparison with the last release', () => {
  test.each([
    ['a removed path', renamedPath, 'path-removed'],
    ['a new required property of a frame', requiredReason, 'required-properties-added'],
  ] as const)('fails for %s under the same major version', async (_, change, rule) => {
    const { exitCode, output } = await compare(await copyOfDocuments(), await copyOfDocuments(change))
    expect(output).toContain(rule)
    expect(exitCode).toBe(1)
  })

  test('accepts a breaking change with the next major version', async () => {
    const revision = await copyOfDocuments(renamedPath, nextMajor)
    const { exitCode, output } = await compare(await copyOfDocuments(), revision)
    expect(output).toContain('path-removed')
    expect(exitCode).toBe(0)
  })

  test('accepts a compatible change', async () => {
    const { exitCode } = await compare(await copyOfDocuments(), await copyOfDocuments(newSummary))
    expect(exitCode).toBe(0)
  })
})

describe('a release', () => {
  test('is refused if the documents changed and the version did not', async () => {
    const released = await copyOfDocuments()
    const { exitCode } = await compare(released, await copyOfDocuments(newSummary), '--release')
    expect(exitCode).toBe(1)
    expect(await readFile(join(released, 'openapi.yaml'), 'utf8')).not.toContain(newSummary[1])
  })

  test('replaces the copies of the last release', async () => {
    const released = await copyOfDocuments()
    const revision = await copyOfDocuments(newSummary, nextMajor)
    const { exitCode } = await compare(released, revision, '--release')
    expect(exitCode).toBe(0)
    for (const document of documents) {
      expect(await readFile(join(released, document), 'utf8')).toBe(
        await readFile(join(revision, document), 'utf8'),
      )
    }
  })
})
