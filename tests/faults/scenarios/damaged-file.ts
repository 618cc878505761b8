import { cp, mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createAccount, send } from '../account.ts'
import type { Chance } from '../chance.ts'
import type { Scenario } from '../scenario.ts'
import { startServer, startServerInVain } from '../server.ts'
import { within } from '../waiting.ts'

const databaseFile = 'parley.sqlite'
const pageBytes = 4096

/** From the bytes of a sound database to what is found in its place. */
const damages: Record<string, (sound: Uint8Array, chance: Chance) => Uint8Array> = {
  'no bytes at all': () => new Uint8Array(),
  'a header of random bytes': (sound, chance) => overwrite(sound, 0, chance.bytes(100)),
  'cut off in the middle': (sound, chance) => sound.slice(0, chance.between(pageBytes, sound.length - 1)),
  'cut off within the header': (sound, chance) => sound.slice(0, chance.between(1, 99)),
  'random bytes in the middle': (sound, chance) =>
    overwrite(sound, pageBytes * chance.between(1, sound.length / pageBytes - 1), chance.bytes(pageBytes)),
  'a text in its place': () => new TextEncoder().encode('Backup failed: no such bucket.\n'.repeat(300)),
}

export const damagedFile: Scenario = {
  title: 'the database file is damaged',
  rounds: 5,
  quickRounds: 1,
  async run({ folder, chance, rounds }) {
    const sound = join(folder, 'sound')
    await mkdir(sound)
    const acknowledged = await fillAndEnd(sound, 'SIGTERM')
    const killed = join(folder, 'killed')
    await mkdir(killed)
    await fillAndEnd(killed, 'SIGKILL')
    const findings: string[] = []
    for (let round = 1; round <= rounds; round++) {
      for (const [kind, damage] of Object.entries(damages)) {
        const dataDir = join(folder, `${kind} ${round}`)
        await cp(sound, dataDir, { recursive: true })
        const path = join(dataDir, databaseFile)
        const damaged = damage(await Bun.file(path).bytes(), chance)
        await Bun.write(path, damaged)
        for (const finding of await refusesAndLeaves(dataDir, damaged)) findings.push(`${kind}: ${finding}`)
      }
    }
    for (const finding of await refusesWithoutFile(killed))
      findings.push(`gone, but for its -wal: ${finding}`)
    // The damage is to copies: what was acknowledged is in the sound one, which still starts.
    const server = await startServer({ dataDir: sound })
    await server.kill()
    const remark = `${Object.keys(damages).length} kinds of damage a round, and one in which the file is gone`
    return { acknowledged, lost: 0, duplicated: 0, reordered: 0, findings, remark }
  },
}

async function fillAndEnd(dataDir: string, signal: 'SIGTERM' | 'SIGKILL'): Promise<number> {
  const server = await startServer({ dataDir })
  const account = await createAccount(server, 'sender')
  const messages = 60
  for (let number = 1; number <= messages; number++) {
    const answer = await send(server, account, `${number} ${'x'.repeat(2000)}`)
    if (answer.status !== 200) throw new Error(`a send got ${answer.status}`)
  }
  server.signal(signal)
  await within(30_000, 'the server stops', server.exited)
  return messages
}

async function refusesAndLeaves(dataDir: string, damaged: Uint8Array): Promise<string[]> {
  const findings: string[] = []
  const filesBefore = await databaseFiles(dataDir)
  try {
    const { exitCode, output } = await startServerInVain({ dataDir })
    const shown = output.slice(0, 400)
    if (exitCode === 0) findings.push('it ended with 0')
    if (!output.includes(databaseFile)) findings.push(`it does not name the file: ${shown}`)
    if (!/restore|backup/i.test(output)) findings.push(`it does not say what to do: ${shown}`)
    if (/^\s+at .+:\d+/m.test(output) || output.includes('"stack"'))
      findings.push(`it shows its stack: ${shown}`)
  } catch (error) {
    findings.push((error as Error).message)
  }
  const after = Bun.file(join(dataDir, databaseFile))
  if (!(await after.exists())) findings.push('the file is gone')
  else if (!Bun.deepEquals(await after.bytes(), damaged)) findings.push('the file was changed')
  const filesAfter = await databaseFiles(dataDir)
  if (!Bun.deepEquals(filesBefore, filesAfter))
    findings.push(`there are other files now: ${filesAfter.join(', ')}`)
  return findings
}

/** After a crash the last messages are in the -wal alone; an empty database would make an end of it. */
async function refusesWithoutFile(dataDir: string): Promise<string[]> {
  const findings: string[] = []
  await rm(join(dataDir, databaseFile))
  const log = join(dataDir, `${databaseFile}-wal`)
  const before = await Bun.file(log).bytes()
  try {
    const { exitCode, output } = await startServerInVain({ dataDir })
    if (exitCode === 0) findings.push('it ended with 0')
    if (!output.includes(databaseFile)) findings.push(`it does not name the file: ${output.slice(0, 400)}`)
  } catch (error) {
    findings.push((error as Error).message)
  }
  if (await Bun.file(join(dataDir, databaseFile)).exists()) findings.push('there is a new database')
  const kept = (await Bun.file(log).exists()) && Bun.deepEquals(await Bun.file(log).bytes(), before)
  if (!kept) findings.push('the -wal was changed')
  return findings
}

/** Databases, without what SQLite keeps beside one while it is open. */
async function databaseFiles(dataDir: string): Promise<string[]> {
  return (await readdir(dataDir)).filter((name) => !/-(wal|shm|journal)$/.test(name)).sort()
}

function overwrite(bytes: Uint8Array, offset: number, by: Uint8Array): Uint8Array {
  const copy = bytes.slice()
  copy.set(by, Math.floor(offset / pageBytes) * pageBytes)
  return copy
}
