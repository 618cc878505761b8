import { type Account, type ApiResponse, bearer, send } from './account.ts'
import type { ChatMessage, Ledger, Sent } from './ledger.ts'
import type { Random } from './random.ts'
import type { Server } from './server.ts'
import { within } from './waiting.ts'

export interface Sender {
  /** Unique within a scenario. */
  name: string
  server: Server
  account: Account
  ledger: Ledger
  random: Random
  /** The percentage of messages with an idempotency key. */
  keyedPercent: number
  /** The longest pause between two messages. */
  maxPauseMs: number
  /** Resends a refused message with its key until it is stored. HTTP only. */
  persistent?: boolean
  /** Stops sending. Messages that are in flight are awaited. */
  stop: AbortSignal
}

/** The codes of temporary problems after which nothing was stored. */
const refusals = new Set(['storage-unavailable', 'shutting-down'])

/** Sends one message after the other by HTTP until it is stopped or the connection is lost. */
export async function sendByHttp(sender: Sender): Promise<void> {
  for (let number = 1; !sender.stop.aborted; number++) {
    const sent = sender.ledger.add(
      sender.name,
      number,
      sender.random,
      sender.random.percent(sender.keyedPercent),
    )
    do {
      const response = await send(sender.server, sender.account, sent.text, sent.key).catch(() => undefined)
      if (!response) return
      settle(sender.ledger, sent, response)
      await pause(sender)
    } while (sender.persistent && sent.key && sent.outcome === 'refused' && !sender.stop.aborted)
  }
}

/** Resends a message that has a key. Rejects if the connection ends without a response. */
export async function sendAgain(server: Server, account: Account, ledger: Ledger, sent: Sent): Promise<void> {
  settle(ledger, sent, await send(server, account, sent.text, sent.key))
}

/**
 * Resends messages by WebSocket. A key that was already used causes no second broadcast, so only the close
 * that follows `disconnect` confirms that all earlier frames have been processed.
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
      ledger.unexpected.push(`a resent message got ${data}`)
  }
  socket.onclose = ({ code }) => resolve(code)
  const code = await within(30_000, 'the server closes the socket after disconnect', promise)
  if (code !== 1000) ledger.unexpected.push(`the server closed the socket after disconnect with ${code}`)
  else for (const sent of all) sent.outcome = 'acknowledged'
}

function settle(ledger: Ledger, sent: Sent, response: ApiResponse): void {
  if (response.status === 200) sent.outcome = 'acknowledged'
  else if (response.status === 503 && response.code && refusals.has(response.code)) refuse(sent)
  else ledger.unexpected.push(`a send by HTTP returned ${response.status} ${response.code ?? ''}`)
}

function refuse(sent: Sent): void {
  sent.outcome = 'refused'
  sent.refusals++
}

/**
 * Sends by WebSocket until it is stopped or the connection is lost, with up to `window` messages in flight.
 * A message is acknowledged by its broadcast and refused by an error frame.
 */
export async function sendBySocket(sender: Sender, window: number): Promise<void> {
  const inFlight: Sent[] = []
  const done = Promise.withResolvers<void>()
  const socket = new WebSocket(sender.server.url.replace('http', 'ws'), { headers: bearer(sender.account) })
  let number = 0

  const sendMore = async () => {
    await pause(sender)
    if (sender.stop.aborted && inFlight.length === 0) return done.resolve()
    while (!sender.stop.aborted && inFlight.length < window && socket.readyState === WebSocket.OPEN) {
      number++
      const sent = sender.ledger.add(
        sender.name,
        number,
        sender.random,
        sender.random.percent(sender.keyedPercent),
      )
      inFlight.push(sent)
      socket.send(JSON.stringify({ message: sent.text, ...(sent.key && { idempotencyKey: sent.key }) }))
    }
  }
  socket.onopen = sendMore
  socket.onclose = () => done.resolve()
  socket.onmessage = ({ data }) => {
    const sent = settleByFrame(sender, inFlight, JSON.parse(data as string))
    const index = sent ? inFlight.indexOf(sent) : -1
    if (index < 0) return
    inFlight.splice(index, 1)
    void sendMore()
  }
  try {
    await within(120_000, `${sender.name} ends`, done.promise)
  } finally {
    socket.onclose = null
    socket.close()
  }
}

type Frame =
  | ChatMessage
  | { event: 'error'; problem: { code: string }; idempotencyKey?: string }
  | { event: 'stored'; id: string; idempotencyKey: string }

/** Records the outcome that a frame reports, and returns the message of this sender that it belongs to. */
function settleByFrame(sender: Sender, inFlight: Sent[], frame: Frame): Sent | undefined {
  if (frame.event === 'message') {
    const sent = sender.ledger.find(frame.message)
    if (sent?.sender !== sender.name) return undefined
    sent.outcome = 'acknowledged'
    sent.broadcasts++
    return sent
  }
  if (frame.event === 'stored') {
    // The message was stored by an earlier attempt, whose broadcast the sender may have missed.
    const sent = inFlight.find(({ key }) => key === frame.idempotencyKey)
    if (!sent) sender.ledger.unexpected.push(`${sender.name} received ${JSON.stringify(frame)}`)
    else sent.outcome = 'acknowledged'
    return sent
  }
  // An error frame without a key belongs to the oldest message without one: frames are processed in order.
  const sent = inFlight.find(({ key }) => key === frame.idempotencyKey)
  if (!sent || !refusals.has(frame.problem.code)) {
    sender.ledger.unexpected.push(`${sender.name} received ${JSON.stringify(frame)}`)
    return sent
  }
  refuse(sent)
  return sent
}

function pause({ random, maxPauseMs }: Sender): Promise<void> {
  return Bun.sleep(random.between(0, maxPauseMs))
}
