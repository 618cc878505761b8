import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { type Account, bearer, createAccount, send } from '../account.ts'
import type { Chance } from '../chance.ts'
import { type ChatMessage, createLedger, type Ledger } from '../ledger.ts'
import { createReaders } from '../reader.ts'
import { beginHistory, conclude, type Scenario } from '../scenario.ts'
import { endWithScenario, type Server, startServer } from '../server.ts'
import { within } from '../waiting.ts'

const readerCount = 200
const batchMessages = 40
/** As long as a message may be, so that what the kernel buffers for the stuck reader is full soon. */
const paddingCharacters = 4000
/** Enough to fill every buffer between the server and a client, whatever the kernel grants. */
const mostBatches = 60
const warmUpBatches = 6

export const readerThatStopsReading: Scenario = {
  title: 'a reader stops reading, among 200',
  rounds: 5,
  quickRounds: 1,
  async run({ folder, chance, rounds }) {
    // One socket more than the readers: while the stuck one is kept, nobody else gets in.
    const environment = { MAX_SOCKETS: String(readerCount + 1) }
    const server = await startServer({ dataDir: folder, environment })
    const sender = await createAccount(server, 'sender')
    const history = await beginHistory(server)
    const ledger = createLedger()
    const reader = createReaders(history.account, history.beginning)
    const readers = Array.from({ length: readerCount }, (_, index) => reader(`reader ${index + 1}`))
    await Promise.all(readers.map((reader) => reader.connect(server)))
    const batch = async (name: string) => {
      await sendBatch({ name, server, sender, ledger, chance: chance.branch() })
      await history.advance(server)
      const lastId = history.messages.at(-1)?.id as string
      // Those who read are in one busy process here: it must not be that which makes them slow.
      await Promise.all(readers.map((reader) => reader.reach(lastId)))
    }

    const residentBefore: number[] = []
    for (let count = 1; count <= warmUpBatches; count++) {
      await batch(`warm-up ${count}`)
      residentBefore.push(await residentMegabytes(server))
    }

    const findings: string[] = []
    const residentDuring: number[] = []
    let batches = 0
    for (let round = 1; round <= rounds; round++) {
      const resumeAfter = history.messages.at(-1)?.id as string
      const stuck = await startStuckReader(server, history.account, resumeAfter)
      let cutOff = false
      for (let count = 1; count <= mostBatches && !cutOff; count++) {
        await batch(`round ${round} batch ${count}`)
        batches++
        residentDuring.push(await residentMegabytes(server))
        cutOff = await hasRoom(server, history.account)
      }
      const { code, saw } = await stuck.wake()
      if (!cutOff) findings.push(`round ${round}: the stuck reader was never cut off`)
      if (code !== 1006) findings.push(`round ${round}: the stuck reader's connection ended with ${code}`)
      // It loses nothing: it goes on where it was.
      const resumed = createReaders(history.account, resumeAfter)('the stuck reader', saw)
      await resumed.connect(server)
      await resumed.reach(history.messages.at(-1)?.id as string)
      resumed.leave('close')
      await resumed.closed()
      findings.push(...compare(saw, history.messages, resumeAfter))
    }

    const before = median(residentBefore.slice(warmUpBatches / 2))
    const during = median(residentDuring)
    if (during > before * 1.2) findings.push(`memory grew from ${before} MB to ${during} MB`)
    const verdict = await conclude({ server, history, ledger, readers, chance })
    await server.kill()
    const remark = `cut off after ${(batches / rounds).toFixed(1)} batches; resident ${before} MB before, ${during} MB during`
    return { ...verdict, findings: [...verdict.findings, ...findings], remark }
  },
}

interface Batch {
  name: string
  server: Server
  sender: Account
  ledger: Ledger
  chance: Chance
}

async function sendBatch({ name, server, sender, ledger, chance }: Batch): Promise<void> {
  const lanes = Array.from({ length: batchMessages }, async (_, index) => {
    const sent = ledger.write(`${name} ${index + 1}`, 1, chance, false, paddingCharacters)
    const answer = await send(server, sender, sent.text)
    if (answer.status !== 200) throw new Error(`a send got ${answer.status} ${answer.code ?? ''}`)
    sent.fate = 'acknowledged'
  })
  await Promise.all(lanes)
}

interface StuckReader {
  /** Lets it run again; resolves when its connection has ended. */
  wake(): Promise<{ code: number; saw: ChatMessage[] }>
}

async function startStuckReader(server: Server, account: Account, after: string): Promise<StuckReader> {
  const program = fileURLToPath(new URL('../stuck-reader.ts', import.meta.url))
  const url = `${server.url.replace('http', 'ws')}/?after=${after}`
  const child = Bun.spawn([process.execPath, program, url, account.token], {
    stdout: 'pipe',
    stderr: 'inherit',
  })
  endWithScenario(child)
  let printed = ''
  const connected = Promise.withResolvers<void>()
  const allPrinted = (async () => {
    const decoder = new TextDecoder()
    for await (const chunk of child.stdout) {
      printed += decoder.decode(chunk, { stream: true })
      if (printed.startsWith('connected')) connected.resolve()
    }
  })()
  await within(20_000, 'the stuck reader connects', connected.promise)
  child.kill('SIGSTOP')
  return {
    async wake() {
      child.kill('SIGCONT')
      await within(20_000, 'the connection of the stuck reader ends', allPrinted).finally(() =>
        child.kill('SIGKILL'),
      )
      const lines = printed.trim().split('\n').slice(1)
      const code = Number(lines.pop()?.replace('closed ', ''))
      return { code, saw: lines.map((line) => JSON.parse(line) as ChatMessage) }
    },
  }
}

/** Whether one more socket is taken; it is closed again. */
async function hasRoom(server: Server, account: Account): Promise<boolean> {
  const socket = new WebSocket(server.url.replace('http', 'ws'), { headers: bearer(account) })
  const { promise, resolve } = Promise.withResolvers<boolean>()
  socket.onopen = () => resolve(true)
  socket.onclose = () => resolve(false)
  const room = await within(20_000, 'an upgrade is answered', promise)
  if (!room) return false
  const closed = Promise.withResolvers<void>()
  socket.onclose = () => closed.resolve()
  socket.close()
  await within(20_000, 'a socket closes', closed.promise)
  return true
}

function compare(saw: ChatMessage[], history: readonly ChatMessage[], after: string): string[] {
  const missed = history.slice(history.findIndex(({ id }) => id === after) + 1)
  if (Bun.deepEquals(saw, missed)) return []
  return [
    `the stuck reader saw ${saw.length} messages in all, not the ${missed.length} that were sent, in their order`,
  ]
}

async function residentMegabytes(server: Server): Promise<number> {
  const status = await readFile(`/proc/${server.pid}/status`, 'utf8')
  return Math.round(Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024)
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number
}
