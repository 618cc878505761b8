import { type Account, type Answer, bearer, send } from './account.ts'
import type { Chance } from './chance.ts'
import type { ChatMessage, Ledger, Sent } from './ledger.ts'
import type { Server } from './server.ts'
import { within } from './waiting.ts'

export interface Lane {
  /** Unique within a scenario. */
  name: string
  server: Server
  account: Account
  ledger: Ledger
  chance: Chance
  /** How many of 100 messages carry an idempotency key. */
  keyedPercent: number
  /** The longest pause between two messages. */
  longestPauseMs: number
  /** Sends a refused message again, with its key, until it is stored. By HTTP only. */
  persistent?: boolean
  /** Ends the sending; what is under way is waited for. */
  stop: AbortSignal
}

/** The codes of problems that say "not now, and nothing was stored". */
const refusals = new Set(['storage-unavailable', 'shutting-down'])

/** Sends one message after the other by HTTP, until told to stop or the connection is lost. */
export async function sendByHttp(lane: Lane): Promise<void> {
  for (let number = 1; !lane.stop.aborted; number++) {
    const sent = lane.ledger.write(lane.name, number, lane.chance, lane.chance.percent(lane.keyedPercent))
    do {
      const answer = await send(lane.server, lane.account, sent.text, sent.key).catch(() => undefined)
      if (!answer) return
      settle(lane.ledger, sent, answer)
      await pause(lane)
    } while (lane.persistent && sent.key && sent.fate === 'refused' && !lane.stop.aborted)
  }
}

/** Sends once more what carries a key. Rejects where the connection ends without an answer. */
export async function sendAgain(server: Server, account: Account, ledger: Ledger, sent: Sent): Promise<void> {
  settle(ledger, sent, await send(server, account, sent.text, sent.key))
}

/**
 * The same by socket. A key that was here before brings no second broadcast, so it is the orderly
 * close that says: all that was sent before has been handled.
 */
export async function sendAgainBySocket(
  server: Server,
  account: Account,
  ledger: Ledger,
  all: Sent[],
): Promise<void> {
  const socket = new WebSocket(server.url.replace('http', 'ws'), { headers: bearer(account) })
  const { promise, resolve } = Promise.withResolvers<number>()
  socket.onopen = () => {
    for (const { text, key } of all) socket.send(JSON.stringify({ message: text, idempotencyKey: key }))
    socket.send(JSON.stringify({ event: 'disconnect' }))
  }
  socket.onmessage = ({ data }) => {
    if ((JSON.parse(data as string) as Frame).event === 'error')
      ledger.complaints.push(`sent again, answered ${data}`)
  }
  socket.onclose = ({ code }) => resolve(code)
  const code = await within(30_000, 'a socket that asked for it is closed', promise)
  if (code !== 1000) ledger.complaints.push(`a socket that asked to be closed was closed with ${code}`)
  else for (const sent of all) sent.fate = 'acknowledged'
}

function settle(ledger: Ledger, sent: Sent, answer: Answer): void {
  if (answer.status === 200) sent.fate = 'acknowledged'
  else if (answer.status === 503 && answer.code && refusals.has(answer.code)) refuse(sent)
  else ledger.complaints.push(`a send by HTTP got ${answer.status} ${answer.code ?? ''}`)
}

function refuse(sent: Sent): void {
  sent.fate = 'refused'
  sent.refusals++
}

/**
 * Sends by socket, up to `window` messages ahead of what came back, until told to stop or the
 * connection is lost. A message is acknowledged by its broadcast, refused by an error frame.
 */
export async function sendBySocket(lane: Lane, window: number): Promise<void> {
  const underWay: Sent[] = []
  const done = Promise.withResolvers<void>()
  const socket = new WebSocket(lane.server.url.replace('http', 'ws'), { headers: bearer(lane.account) })
  let number = 0

  const pump = async () => {
    await pause(lane)
    if (lane.stop.aborted && underWay.length === 0) return done.resolve()
    while (!lane.stop.aborted && underWay.length < window && socket.readyState === WebSocket.OPEN) {
      number++
      const sent = lane.ledger.write(lane.name, number, lane.chance, lane.chance.percent(lane.keyedPercent))
      underWay.push(sent)
      socket.send(JSON.stringify({ message: sent.text, ...(sent.key && { idempotencyKey: sent.key }) }))
    }
  }
  socket.onopen = pump
  socket.onclose = () => done.resolve()
  socket.onmessage = ({ data }) => {
    const sent = settleByFrame(lane, underWay, JSON.parse(data as string))
    const place = sent ? underWay.indexOf(sent) : -1
    if (place < 0) return
    underWay.splice(place, 1)
    void pump()
  }
  try {
    await within(120_000, `${lane.name} ends`, done.promise)
  } finally {
    socket.onclose = null
    socket.close()
  }
}

type Frame = ChatMessage | { event: 'error'; problem: { code: string }; idempotencyKey?: string }

/** The message of this lane that the frame settles, if it is one. */
function settleByFrame(lane: Lane, underWay: Sent[], frame: Frame): Sent | undefined {
  if (frame.event === 'message') {
    const sent = lane.ledger.find(frame.message)
    if (sent?.lane !== lane.name) return undefined
    sent.fate = 'acknowledged'
    sent.echoes++
    return sent
  }
  // Without a key a refusal does not say whose it is; frames are handled in the order they came.
  const sent = underWay.find(({ key }) => key === frame.idempotencyKey)
  if (!sent || !refusals.has(frame.problem.code)) {
    lane.ledger.complaints.push(`${lane.name} got ${JSON.stringify(frame)}`)
    return sent
  }
  refuse(sent)
  return sent
}

function pause({ chance, longestPauseMs }: Lane): Promise<void> {
  return Bun.sleep(chance.between(0, longestPauseMs))
}
