import { type Account, createAccount, listMessages, send } from './account.ts'
import type { ChatMessage, Ledger } from './ledger.ts'
import type { Random } from './random.ts'
import { createReaders, type Reader } from './reader.ts'
import { createReport, type Report } from './report.ts'
import type { Server } from './server.ts'

export interface Scenario {
  /** The fault, as shown in the table. */
  title: string
  rounds: number
  /** The number of rounds with `--quick`. */
  quickRounds: number
  run(setting: Setting): Promise<Result>
}

export interface Setting {
  /** An empty folder for this scenario. */
  folder: string
  random: Random
  rounds: number
}

export interface Result extends Report {
  /** Details that depend on the machine, or measured values. */
  remark?: string
}

/** The messages of the log, read incrementally. A message that was read once is not read again. */
export interface History {
  account: Account
  messages: ChatMessage[]
  /** The id of the message before the first one in `messages`. */
  beginning: string
  /** Reads the new messages. */
  advance(server: Server): Promise<void>
}

/** Creates a user and a first message, after which all readers start. */
export async function startHistory(server: Server): Promise<History> {
  const account = await createAccount(server, 'historian')
  const response = await send(server, account, 'The beginning.')
  if (response.status !== 200)
    throw new Error(`the first message returned ${response.status} ${response.code ?? ''}`)
  const beginning = (await listMessages(server, account))[0]?.id as string
  const messages: ChatMessage[] = []
  return {
    account,
    messages,
    beginning,
    async advance(server) {
      messages.push(...(await listMessages(server, account, messages.at(-1)?.id ?? beginning)))
    },
  }
}

export interface Ending {
  server: Server
  history: History
  ledger: Ledger
  readers: Reader[]
  random: Random
}

/** Waits until all readers have received the whole log, reads it in every other way, and compares the results. */
export async function verify({ server, history, ledger, readers, random }: Ending): Promise<Report> {
  // Messages are delivered in order: a reader that receives this one has received all earlier ones.
  const last = ledger.add('the end', 1, random, true)
  const response = await send(server, history.account, last.text, last.key)
  if (response.status !== 200)
    throw new Error(`the last message returned ${response.status} ${response.code ?? ''}`)
  last.outcome = 'acknowledged'
  await history.advance(server)

  const newcomer = createReaders(history.account, history.beginning)('a new reader from the beginning')
  await newcomer.connect(server)
  const everyone = [...readers, newcomer]
  const lastId = history.messages.at(-1)?.id as string
  const arrivals = await Promise.allSettled(everyone.map((reader) => reader.waitFor(lastId)))
  for (const reader of everyone) reader.leave('close')

  const forwards = await listMessages(server, history.account, history.beginning)
  const backwards = await listMessages(server, history.account)
  const report = createReport({
    ledger,
    history: history.messages,
    observers: [
      ...everyone,
      { name: 'paging forwards', seen: forwards },
      { name: 'paging backwards', seen: backwards.slice(1) },
    ],
  })
  for (const arrival of arrivals)
    if (arrival.status === 'rejected') report.findings.push(arrival.reason.message)
  if (report.acknowledged < 2)
    report.findings.push('almost no messages were acknowledged, so the scenario tested nothing')
  return report
}
