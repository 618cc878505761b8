import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { type Account, bearer, createAccount, send } from '../account.ts'
import { type ChatMessage, createLedger, type Ledger } from '../ledger.ts'
import type { Random } from '../random.ts'
import { createReaders } from '../reader.ts'
import { type Scenario, startHistory, verify } from '../scenario.ts'
import { killAfterScenario, type Server, startServer } from '../server.ts'
import { within } from '../waiting.ts'

const readerCount = 200
const batchMessages = 40
/** Close to the maximum length of a message, so that the kernel buffers of the stuck reader fill up soon. */
const paddingCharacters = 4000
/** Enough to fill all buffers between the server and a client. */
const maxBatches = 60
const warmUpBatches = 6

export const readerThatStopsReading: Scenario = {
  title: 'one of 200 readers stops reading',
  rounds: 5,
  quickRounds: 1,
  async run({ folder, random, rounds }) {
    // Allow one socket more than there are readers: the stuck reader uses it until it is disconnected.
    const environment = { MAX_SOCKETS: String(readerCount + 1) }
    const server = await startServer({ dataDir: folder, environment })
    const account = await createAccount(server, 'sender')
    const history = await startHistory(server)
    const ledger = createLedger()
    const createReader = createReaders(history.account, history.beginning)
    const readers = Array.from({ length: readerCount }, (_, index) => createReader(`reader ${index + 1}`))
    await Promise.all(readers.map((reader) => reader.connect(server)))
    const batch = async (name: string) => {
      await sendBatch({ name, server, account, ledger, random: random.branch() })
      await history.advance(server)
      const lastId = history.messages.at(-1)?.id as string
      // All readers run in this process: wait for them, so that they do not fall behind because it is busy.
      await Promise.all(readers.map((reader) => reader.waitFor(lastId)))
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
      for (let count = 1; count <= maxBatches && !cutOff; count++) {
        await batch(`round ${round} batch ${count}`)
        batches++
        residentDuring.push(await residentMegabytes(server))
        cutOff = await hasRoom(server, history.account)
      }
      const { code, seen } = await stuck.wake()
      if (!cutOff) findings.push(`round ${round}: the stuck reader was never disconnected`)
      if (code !== 1006) findings.push(`round ${round}: the stuck reader's connection ended with ${code}`)
      // The stuck reader resumes without losing a message.
      const resumed = createReaders(history.account, resumeAfter)('the stuck reader', seen)
      await resumed.connect(server)
      await resumed.waitFor(history.messages.at(-1)?.id as string)
      resumed.leave('close')
      await resumed.closed()
      findings.push(...compare(seen, history.messages, resumeAfter))
    }

    const before = median(residentBefore.slice(warmUpBatches / 2))
    const during = median(residentDuring)
    if (during > before * 1.2) findings.push(`memory grew from ${before} MB to ${during} MB`)
    const report = await verify({ server, history, ledger, readers, random })
    await server.kill()
    const remark = `disconnected after ${(batches / rounds).toFixed(1)} batches; resident memory ${before} MB before, ${during} MB during`
    return { ...report, findings: [...report.findings, ...findings], remark }
  },
}

interface Batch {
  name: string
  server: Server
  account: Account
  ledger: Ledger
  random: Random
}

async function sendBatch({ name, server, account, ledger, random }: Batch): Promise<void> {
  const senders = Array.from({ length: batchMessages }, async (_, index) => {
    const sent = ledger.add(`${name} ${index + 1}`, 1, random, false, paddingCharacters)
    const response = await send(server, account, sent.text)
    if (response.status !== 200) throw new Error(`a send returned ${response.status} ${response.code ?? ''}`)
    sent.outcome = 'acknowledged'
  })
  await Promise.all(senders)
}

interface StuckReader {
  /** Continues the process and resolves when its connection has ended. */
  wake(): Promise<{ code: number; seen: ChatMessage[] }>
}

async function startStuckReader(server: Server, account: Account, after: string): Promise<StuckReader> {
  const program = fileURLToPath(new URL('../stuck-reader.ts', import.meta.url))
  const url = `${server.url.replace('http', 'ws')}/?after=${after}`
  const child = Bun.spawn([process.execPath, program, url, account.token], {
    stdout: 'pipe',
    stderr: 'inherit',
  })
  killAfterScenario(child)
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
      const frames = lines.map((line) => JSON.parse(line) as ChatMessage)
      return { code, seen: frames.filter(({ event }) => event === 'message') }
    },
  }
}

/** Whether the server accepts another socket. The socket is closed again. */
async function hasRoom(server: Server, account: Account): Promise<boolean> {
  const socket = new WebSocket(server.url.replace('http', 'ws'), { headers: bearer(account) })
  const { promise, resolve } = Promise.withResolvers<boolean>()
  socket.onopen = () => resolve(true)
  socket.onclose = () => resolve(false)
  const room = await within(20_000, 'the handshake completes', promise)
  if (!room) return false
  const closed = Promise.withResolvers<void>()
  socket.onclose = () => closed.resolve()
  socket.close()
  await within(20_000, 'a socket closes', closed.promise)
  return true
}

function compare(seen: ChatMessage[], history: readonly ChatMessage[], after: string): string[] {
  const missed = history.slice(history.findIndex(({ id }) => id === after) + 1)
  if (Bun.deepEquals(seen, missed)) return []
  return [
    `the stuck reader received ${seen.length} messages; expected exactly the ${missed.length} sent messages in order`,
  ]
}

async function residentMegabytes(server: Server): Promise<number> {
  const status = await readFile(`/proc/${server.pid}/status`, 'utf8')
  return Math.round(Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024)
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number
}
