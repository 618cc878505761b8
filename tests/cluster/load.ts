import { type Account, bearer, createAccount, listMessages } from '../faults/account.ts'
import type { ChatMessage } from '../faults/ledger.ts'
import type { Random } from '../faults/random.ts'
import type { Server } from '../faults/server.ts'
import { until, within } from '../faults/waiting.ts'
import { check, type Observed, type Sent, type Verdict } from './check.ts'
import type { Cluster } from './cluster.ts'

const requestTimeoutMs = 20_000

/** How long a client repeats a message with its key. Much longer than any fault lasts. */
const retryForMs = 90_000

interface Attempt {
  /** Undefined if there was no response. */
  readonly status: number | undefined
  readonly code?: string | undefined
}

async function attempt(node: Server, account: Account, text: string, key?: string): Promise<Attempt> {
  try {
    const response = await fetch(`${node.url}/api/chats/send`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...bearer(account),
        ...(key !== undefined && { 'idempotency-key': `"${key}"` }),
      },
      body: JSON.stringify({ message: text }),
      signal: AbortSignal.timeout(requestTimeoutMs),
    })
    const { code } = (await response.json()) as { code?: string }
    return { status: response.status, code }
  } catch {
    return { status: undefined }
  }
}

/** The problems that are documented to mean that nothing was stored. */
const notStored = new Set(['storage-unavailable', 'shutting-down'])

export interface Load {
  /** Stops sending, waits until every client has received everything, and compares. */
  finish(): Promise<LoadVerdict>
  /** The number of acknowledged messages so far. */
  acknowledged(): number
}

export interface LoadVerdict extends Verdict {
  /** From the first attempt of a sender to the arrival at the last client. */
  longestDelayMs: number
}

interface LoadOptions {
  readonly cluster: Cluster
  readonly random: Random
  readonly senders?: number
  /** How often a client repeats a request at most, and how long it waits before; by default until it succeeds. */
  readonly retries?: { readonly most: number; readonly pauseMs: number }
  readonly readersPerNode?: number
}

/** A client that resumes on any node when its connection ends. */
function startReader(cluster: Cluster, account: Account, random: Random, name: string, after: string) {
  const frames: string[] = []
  const failures: string[] = []
  let cursor = after
  let longestDelayMs = 0
  let stopped = false
  let socket: WebSocket | undefined

  function receive(text: string): void {
    const frame = JSON.parse(text) as ChatMessage | { event: 'caught-up' | 'gap' | 'error' }
    if (frame.event === 'caught-up') return
    if (frame.event !== 'message') {
      failures.push(`${name} received ${text}`)
      return
    }
    frames.push(text)
    cursor = frame.id
    const sentAt = Number(/ at (\d+)/.exec(frame.message)?.[1] ?? Date.now())
    longestDelayMs = Math.max(longestDelayMs, Date.now() - sentAt)
  }

  async function connect(): Promise<void> {
    while (!stopped) {
      const node = cluster.nodes.length > 0 ? random.pick(cluster.nodes) : undefined
      if (node) {
        const ended = Promise.withResolvers<void>()
        socket = new WebSocket(`${node.url.replace('http', 'ws')}/?after=${cursor}`, {
          headers: bearer(account),
        })
        socket.onmessage = ({ data }) => {
          if (!stopped) receive(data as string)
        }
        socket.onclose = () => ended.resolve()
        await ended.promise
      }
      await Bun.sleep(random.between(10, 80))
    }
  }

  void connect()
  return {
    observed: (): Observed => ({ name, after, frames }),
    failures,
    cursor: () => cursor,
    longestDelayMs: () => longestDelayMs,
    stop(): void {
      stopped = true
      socket?.terminate()
    },
  }
}

/** Sends and receives on all nodes until `finish` is called. */
export async function startLoad({
  cluster,
  random,
  senders = 6,
  readersPerNode = 3,
  retries,
}: LoadOptions): Promise<Load> {
  const [first] = cluster.nodes
  if (!first) throw new Error('The cluster has no nodes')
  const account = await createAccount(first, 'someone')
  await attempt(first, account, 'the message before all others')
  const [start] = await listMessages(first, account)
  const after = (start as ChatMessage).id
  const sent: Sent[] = []
  const findings: string[] = []
  let stopped = false

  /** Sends one message; with a key, until it is acknowledged. */
  async function send(one: Sent, key: string | undefined, choices: Random): Promise<void> {
    const giveUpAt = performance.now() + retryForMs
    let mayBeStored = false
    for (let repeated = 0; ; repeated++) {
      const node = cluster.nodes.length > 0 ? choices.pick(cluster.nodes) : undefined
      const { status, code = '' } = node ? await attempt(node, account, one.text, key) : { status: undefined }
      if (status === 200) {
        one.outcome = 'acknowledged'
        return
      }
      const isRefusal = status === 503 && notStored.has(code)
      const isUnknown = status === undefined || (status === 500 && code === 'internal-error')
      if (!isRefusal && !isUnknown) findings.push(`a send was answered by ${status} ${code}`)
      mayBeStored ||= isUnknown
      one.outcome = mayBeStored ? 'unknown' : 'refused'
      if (key === undefined) return
      if (repeated === retries?.most) {
        findings.push(`"${one.text}" failed with ${status} ${code} after ${repeated} repetitions`)
        return
      }
      if (performance.now() > giveUpAt) {
        findings.push(`"${one.text}" was not acknowledged in ${retryForMs} ms`)
        return
      }
      await Bun.sleep(retries?.pauseMs ?? choices.between(20, 100))
    }
  }

  async function runSender(name: string, choices: Random): Promise<void> {
    for (let number = 1; !stopped; number++) {
      const text = `${name} ${number} at ${Date.now()}`
      const one: Sent = { sender: name, number, text, outcome: 'unknown' }
      sent.push(one)
      await send(one, choices.percent(70) ? `${name}-${number}` : undefined, choices)
      await Bun.sleep(choices.between(0, 20))
    }
  }

  const running = Array.from({ length: senders }, (_, i) => runSender(`sender${i}`, random.branch()))
  const readers = Array.from({ length: cluster.nodes.length * readersPerNode }, (_, i) =>
    startReader(cluster, account, random.branch(), `reader ${i}`, after),
  )
  return {
    acknowledged: () => sent.filter(({ outcome }) => outcome === 'acknowledged').length,
    async finish() {
      stopped = true
      await within(retryForMs * 2, 'the senders end', Promise.all(running))
      // One message after all others, by which clients know that they have everything.
      const closing: Sent = { sender: 'closing', number: 1, text: 'the last message', outcome: 'unknown' }
      await send(closing, 'closing', random.branch())
      const node = cluster.nodes[0] as Server
      const log = (await listMessages(node, account)).filter(({ id }) => id > after)
      const last = log.at(-1)?.id as string
      await until(60_000, 'all clients have received the last message', () =>
        readers.every(({ cursor }) => cursor() >= last),
      )
      for (const reader of readers) reader.stop()
      const verdict = check(
        log,
        [...sent, closing],
        readers.map(({ observed }) => observed()),
      )
      verdict.findings.push(...findings, ...readers.flatMap(({ failures }) => failures))
      return { ...verdict, longestDelayMs: Math.max(...readers.map((reader) => reader.longestDelayMs())) }
    },
  }
}
