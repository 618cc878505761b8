import { cp, mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createAccount, send } from '../account.ts'
import type { Random } from '../random.ts'
import type { Scenario } from '../scenario.ts'
import { expectStartToFail, startServer } from '../server.ts'
import { within } from '../waiting.ts'

const databaseFile = 'parley.sqlite'
const pageBytes = 4096

/** Each function returns damaged content for an intact database file. */
const damages: Record<string, (intact: Uint8Array, random: Random) => Uint8Array> = {
  'an empty file': () => new Uint8Array(),
  'a header of random bytes': (intact, random) => overwrite(intact, 0, random.bytes(100)),
  'truncated in the middle': (intact, random) =>
    intact.slice(0, random.between(pageBytes, intact.length - 1)),
  'truncated in the header': (intact, random) => intact.slice(0, random.between(1, 99)),
  'random bytes in the middle': (intact, random) =>
    overwrite(intact, pageBytes * random.between(1, intact.length / pageBytes - 1), random.bytes(pageBytes)),
  'a text file': () => new TextEncoder().encode('Backup failed: no such bucket.\n'.repeat(300)),
}

export const damagedFile: Scenario = {
  title: 'the database file is damaged',
  rounds: 5,
  quickRounds: 1,
  async run({ folder, random, rounds }) {
    const intact = join(folder, 'intact')
    await mkdir(intact)
    const acknowledged = await fillAndStop(intact, 'SIGTERM')
    const killed = join(folder, 'killed')
    await mkdir(killed)
    await fillAndStop(killed, 'SIGKILL')
    const findings: string[] = []
    for (let round = 1; round <= rounds; round++) {
      for (const [kind, damage] of Object.entries(damages)) {
        const dataDir = join(folder, `${kind} ${round}`)
        await cp(intact, dataDir, { recursive: true })
        const path = join(dataDir, databaseFile)
        const damaged = damage(await Bun.file(path).bytes(), random)
        await Bun.write(path, damaged)
        for (const finding of await checkRefusal(dataDir, damaged)) findings.push(`${kind}: ${finding}`)
      }
    }
    for (const finding of await checkRefusalWithoutFile(killed))
      findings.push(`missing, with its -wal present: ${finding}`)
    // Only copies were damaged. The server still starts with the intact folder.
    const server = await startServer({ dataDir: intact })
    await server.kill()
    const remark = `${Object.keys(damages).length} kinds of damage in each round, and once a missing file`
    return { acknowledged, lost: 0, duplicated: 0, reordered: 0, findings, remark }
  },
}

async function fillAndStop(dataDir: string, signal: 'SIGTERM' | 'SIGKILL'): Promise<number> {
  const server = await startServer({ dataDir })
  const account = await createAccount(server, 'sender')
  const messages = 60
  for (let number = 1; number <= messages; number++) {
    const response = await send(server, account, `${number} ${'x'.repeat(2000)}`)
    if (response.status !== 200) throw new Error(`a send returned ${response.status}`)
  }
  server.signal(signal)
  await within(30_000, 'the server exits', server.exited)
  return messages
}

async function checkRefusal(dataDir: string, damaged: Uint8Array): Promise<string[]> {
  const findings: string[] = []
  const filesBefore = await databaseFiles(dataDir)
  try {
    const { exitCode, output } = await expectStartToFail({ dataDir })
    const shown = output.slice(0, 400)
    if (exitCode === 0) findings.push('the exit code is 0')
    if (!output.includes(databaseFile)) findings.push(`the output does not name the file: ${shown}`)
    if (!/restore|backup/i.test(output)) findings.push(`the output does not say what to do: ${shown}`)
    if (/^\s+at .+:\d+/m.test(output) || output.includes('"stack"'))
      findings.push(`the output contains a stack trace: ${shown}`)
  } catch (error) {
    findings.push((error as Error).message)
  }
  const after = Bun.file(join(dataDir, databaseFile))
  if (!(await after.exists())) findings.push('the file was removed')
  else if (!Bun.deepEquals(await after.bytes(), damaged)) findings.push('the file was changed')
  const filesAfter = await databaseFiles(dataDir)
  if (!Bun.deepEquals(filesBefore, filesAfter))
    findings.push(`other files were created or removed: ${filesAfter.join(', ')}`)
  return findings
}

/** After a crash the last messages are only in the -wal file, which a new empty database would destroy. */
async function checkRefusalWithoutFile(dataDir: string): Promise<string[]> {
  const findings: string[] = []
  await rm(join(dataDir, databaseFile))
  const log = join(dataDir, `${databaseFile}-wal`)
  const before = await Bun.file(log).bytes()
  try {
    const { exitCode, output } = await expectStartToFail({ dataDir })
    if (exitCode === 0) findings.push('the exit code is 0')
    if (!output.includes(databaseFile))
      findings.push(`the output does not name the file: ${output.slice(0, 400)}`)
  } catch (error) {
    findings.push((error as Error).message)
  }
  if (await Bun.file(join(dataDir, databaseFile)).exists()) findings.push('a new database was created')
  const kept = (await Bun.file(log).exists()) && Bun.deepEquals(await Bun.file(log).bytes(), before)
  if (!kept) findings.push('the -wal was changed')
  return findings
}

/** The database files, without the files that SQLite creates next to an open database. */
async function databaseFiles(dataDir: string): Promise<string[]> {
  return (await readdir(dataDir)).filter((name) => !/-(wal|shm|journal)$/.test(name)).sort()
}

function overwrite(bytes: Uint8Array, offset: number, by: Uint8Array): Uint8Array {
  const copy = bytes.slice()
  copy.set(by, Math.floor(offset / pageBytes) * pageBytes)
  return copy
}
