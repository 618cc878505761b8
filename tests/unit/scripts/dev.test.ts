import { expect, test } from 'bun:test'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { temporaryFolder } from '../support/service.ts'

const project = resolve(import.meta.dirname, '../../..')

/** Starts what `bun run dev` starts, without installing. */
function startDev(dataDir: string) {
  const environment = { PATH: process.env.PATH, HOST: '127.0.0.1', PORT: '0', DATA_DIR: dataDir }
  return Bun.spawn([process.execPath, 'scripts/dev.ts'], {
    cwd: project,
    env: environment,
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
}

/** The processes that have been started with this data folder. */
async function processesOf(dataDir: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const environments = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')),
  )
  return pids.filter((_, index) => environments[index]?.includes(`DATA_DIR=${dataDir}\0`))
}

test('package.json starts this program, and nothing after it hides its exit code', async () => {
  const { scripts } = await Bun.file(join(project, 'package.json')).json()
  expect(scripts.dev).toEndWith('&& bun scripts/dev.ts')
})

test('package.json installs only what serving needs', async () => {
  const { scripts } = await Bun.file(join(project, 'package.json')).json()
  expect(scripts.dev).toStartWith('bun install --frozen-lockfile --silent --production --omit=peer &&')
  expect(scripts.test).toStartWith('bun install --frozen-lockfile --silent &&')
})

test('a service that cannot start ends the program with its exit code', async () => {
  await using folder = await temporaryFolder()
  const dataDir = join(folder.path, 'a-file')
  await writeFile(dataDir, '')
  await using dev = startDev(dataDir)
  expect(await new Response(dev.stderr).text()).toContain(`DATA_DIR: ${dataDir} is not a folder.`)
  expect(await dev.exited).toBe(1)
})

test.each(['SIGTERM', 'SIGINT'] as const)(
  'it prints the log and three addresses for people, and %s ends all processes after the last line',
  async (signal) => {
    await using folder = await temporaryFolder()
    await using dev = startDev(folder.path)
    const reader = dev.stdout.getReader()
    const decoder = new TextDecoder()
    let output = ''
    async function readUntil(text: string): Promise<void> {
      while (!output.includes(text)) {
        const { value, done } = await reader.read()
        if (done) throw new Error(`"${text}" is missing in:\n${output}`)
        output += decoder.decode(value)
      }
    }
    await readUntil('listening')
    expect(output).toMatch(/INFO.*: .*listening/)
    expect(output).not.toContain('"level"')
    const [address = ''] = /127\.0\.0\.1:\d+/.exec(output) ?? []
    dev.kill(signal)
    await readUntil('stopped')
    expect(await dev.exited).toBe(0)
    expect(await new Response(dev.stderr).text()).toBe(
      [
        '',
        `  API        http://${address}/swagger`,
        `  Try it     http://${address}/`,
        `  WebSocket  ws://${address}/  (http://${address}/websocket explains it)`,
        '',
        '',
      ].join('\n'),
    )
    // Where there is no /proc, this is not checked.
    if (process.platform === 'linux') expect(await processesOf(folder.path)).toEqual([])
  },
)
