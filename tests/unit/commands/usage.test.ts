import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { openapi } from '../../../src/contract/documents.ts'
import { startChild } from '../support/child.ts'
import { runCommand } from '../support/command.ts'
import { temporaryFolder } from '../support/service.ts'

// Each test starts several processes, which takes longer than the default timeout on a busy machine.
setDefaultTimeout(180_000)

const misuses: readonly (readonly string[])[] = [
  ['bogus'],
  ['--bogus'],
  ['--port', '3000'],
  ['serve', 'now'],
  ['serve', '--port', '3000'],
  ['healthcheck', 'now'],
  ['users'],
  ['users', 'bogus'],
  ['users', 'list', 'extra'],
  ['users', 'list', '--bogus'],
  ['users', 'show'],
  ['users', 'add', 'name', 'a password'],
  ['users', 'set-password', 'name', '--password', 'a password'],
  ['messages', 'remove'],
  ['backup'],
  ['backup', 'one', 'two'],
  ['restore', 'one', '--force'],
]

test.each(misuses.map((misuse) => [misuse.join(' '), misuse] as const))(
  'parley %s prints its usage, exits with 2 and starts nothing',
  async (_, arguments_) => {
    await using folder = await temporaryFolder()
    const { exitCode, stdout, stderr } = await runCommand(arguments_, { dataDir: folder.path })
    expect(exitCode).toBe(2)
    expect(stdout).toBe('')
    expect(stderr).toContain('Usage: parley')
    expect(await readdir(folder.path)).toEqual([])
  },
)

const commands = [
  [],
  ['serve'],
  ['check'],
  ['healthcheck'],
  ['users'],
  ...['list', 'show', 'add', 'set-password', 'logout', 'remove'].map((name) => ['users', name]),
  ['messages', 'remove'],
  ['backup'],
  ['restore'],
]

test.each(commands.map((command) => [command.join(' '), command] as const))(
  'parley %s --help explains the command',
  async (_, command) => {
    const { exitCode, stdout, stderr } = await runCommand([...command, '--help'])
    expect([exitCode, stderr]).toEqual([0, ''])
    expect(stdout).toStartWith(`Usage: ${['parley', ...command].join(' ')}`)
  },
)

test('parley --version prints the version of the documents', async () => {
  const { exitCode, stdout } = await runCommand(['--version'])
  expect([exitCode, stdout]).toEqual([0, `${openapi.info.version}\n`])
})

test('parley serve serves like parley without arguments', async () => {
  await using folder = await temporaryFolder()
  await using service = await startChild({
    environment: { DATA_DIR: folder.path, DRAIN_SECONDS: '0' },
    arguments: ['serve'],
  })
  expect((await fetch(`${service.url}/readyz`)).status).toBe(200)
  expect(await service.stop()).toContain('"stopped"')
})

describe('parley healthcheck', () => {
  test('exits with 0 while a service listens on the configured address, and with 1 otherwise', async () => {
    await using folder = await temporaryFolder()
    const environment = { DATA_DIR: folder.path, DRAIN_SECONDS: '0' }
    const service = await startChild({ environment })
    const settings = { environment: { HOST: '127.0.0.1', PORT: new URL(service.url).port } }
    expect((await runCommand(['healthcheck'], settings)).exitCode).toBe(0)
    await service.stop()
    expect((await runCommand(['healthcheck'], settings)).exitCode).toBe(1)
  })
})

describe('a command without a database', () => {
  const needing = [
    ['users', 'list'],
    ['users', 'show', 'someone'],
    ['users', 'add', 'someone'],
    ['messages', 'remove', 'an-id'],
    ['backup', 'backup.sqlite'],
  ]

  test.each(needing.map((command) => [command.join(' '), command] as const))(
    'parley %s refuses a mistyped folder and creates nothing',
    async (_, command) => {
      await using folder = await temporaryFolder()
      const dataDir = join(folder.path, 'dta')
      const options = { dataDir, cwd: folder.path, input: 'correct horse battery staple\n' }
      const { exitCode, stdout, stderr } = await runCommand(command, options)
      expect([exitCode, stdout]).toEqual([1, ''])
      expect(stderr).toStartWith(`DATA_DIR: ${dataDir} does not exist.`)
      expect(await readdir(folder.path)).toEqual([])
      await mkdir(dataDir)
      expect((await runCommand(command, options)).stderr).toStartWith(
        `DATA_DIR: ${dataDir}/parley.sqlite does not exist.`,
      )
      expect(await readdir(dataDir)).toEqual([])
    },
  )
})
