import { type Account, createAccount, listMessages, send } from './account.ts'
import type { Chance } from './chance.ts'
import type { ChatMessage, Ledger } from './ledger.ts'
import { createReaders, type Reader } from './reader.ts'
import type { Server } from './server.ts'
import { judge, type Verdict } from './verdict.ts'

export interface Scenario {
  /** What is done to the server, as the table says it. */
  title: string
  rounds: number
  /** The rounds of a quick run. */
  quickRounds: number
  run(setting: Setting): Promise<Result>
}

export interface Setting {
  /** An empty folder of its own. */
  folder: string
  chance: Chance
  rounds: number
}

export interface Result extends Verdict {
  /** How the scenario was done, where that depends on the machine; or what was measured. */
  remark?: string
}

/** The log as it is read, bit by bit: what was there once is never read anew into it. */
export interface History {
  account: Account
  messages: ChatMessage[]
  /** The id of the message before the first one here. */
  beginning: string
  /** Reads what came since. */
  advance(server: Server): Promise<void>
}

/** A user, and one message of theirs for everyone to begin after. */
export async function beginHistory(server: Server): Promise<History> {
  const account = await createAccount(server, 'historian')
  const answer = await send(server, account, 'The beginning.')
  if (answer.status !== 200)
    throw new Error(`the first message of all got ${answer.status} ${answer.code ?? ''}`)
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
  chance: Chance
}

/** Lets all readers come to the end of the log, reads it in every other way too, and judges. */
export async function conclude({ server, history, ledger, readers, chance }: Ending): Promise<Verdict> {
  // Whatever a reader got before this message, wrongly or rightly, it has got when this one comes.
  const last = ledger.write('the end', 1, chance, true)
  const answer = await send(server, history.account, last.text, last.key)
  if (answer.status !== 200)
    throw new Error(`the last message of all got ${answer.status} ${answer.code ?? ''}`)
  last.fate = 'acknowledged'
  await history.advance(server)

  const newcomer = createReaders(history.account, history.beginning)('a socket from the beginning')
  await newcomer.connect(server)
  const everyone = [...readers, newcomer]
  const lastId = history.messages.at(-1)?.id as string
  const arrivals = await Promise.allSettled(everyone.map((reader) => reader.reach(lastId)))
  for (const reader of everyone) reader.leave('close')

  const forwards = await listMessages(server, history.account, history.beginning)
  const backwards = await listMessages(server, history.account)
  const verdict = judge({
    ledger,
    history: history.messages,
    witnesses: [
      ...everyone,
      { name: 'paging forwards', saw: forwards },
      { name: 'paging backwards', saw: backwards.slice(1) },
    ],
  })
  for (const arrival of arrivals)
    if (arrival.status === 'rejected') verdict.findings.push(arrival.reason.message)
  if (verdict.acknowledged < 2)
    verdict.findings.push('hardly anything was acknowledged, so nothing was tried')
  return verdict
}
