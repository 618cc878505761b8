// A load generator process that holds many WebSocket connections. It executes one command of its parent process at
// a time and replies to each. It is a separate process so that its processor time is not counted as the server's.

import { type Endpoint, type FrameCounter, openFrameCounter, pong, textFrame } from './frame-counter.ts'

export type SocketCommand =
  | {
      type: 'open'
      /** The number of connections. They take the tokens in turn. */
      count: number
      endpoint: Omit<Endpoint, 'token'>
      tokens: string[]
      /**
       * Frames that each socket sends after the handshake, in which TOKEN stands for its token, each with the number
       * of frames that it has received in total when the next step may follow. Socket.IO needs one to join its
       * namespace.
       */
      greetings?: Array<{ frame: string; responses: number }>
    }
  /** The first socket sends a frame. Each socket sends a heartbeat when it has received it. */
  | { type: 'heartbeat'; frame: string }
  | { type: 'fan-out'; frame: string; burst: number; seconds: number }
  /** The first socket sends a frame at a fixed interval. The socket with the index `receiver` receives each of them. */
  | { type: 'paced-send'; frame: string; everyMs: number; seconds: number; receiver?: number }
  | { type: 'resume'; count: number; endpoint: Omit<Endpoint, 'token'>; tokens: string[]; frames: number }
  /** Reports the number of frames received since the last `open`. */
  | { type: 'count' }
  | { type: 'close' }

export interface SocketResult {
  sent: number
  received: number
  seconds: number
  /** For `paced-send`: the time from when a frame was due until it was received, in the order of sending. */
  latenciesMs: number[]
}

/** The maximum number of concurrent handshakes. It is below the usual listen backlog. */
const maxPendingHandshakes = 64
const deliveryTimeoutMs = 60_000

let counters: FrameCounter[] = []

process.on('message', async (command: SocketCommand) => {
  try {
    process.send?.({ result: await execute(command) })
  } catch (error) {
    process.send?.({ error: String(error) })
  }
})
process.send?.({ ready: true })

async function execute(command: SocketCommand): Promise<SocketResult> {
  const start = performance.now()
  let sent = 0
  let latenciesMs: number[] = []
  let before = totalReceived()
  if (command.type === 'open') {
    await open(command)
  } else if (command.type === 'heartbeat') {
    sent = await sendHeartbeats(command)
  } else if (command.type === 'fan-out') {
    sent = await fanOut(command)
  } else if (command.type === 'paced-send') {
    latenciesMs = await pacedSend(command)
    sent = latenciesMs.length
  } else if (command.type === 'resume') {
    counters = []
    before = 0
    await withTimeout(Promise.all(openResuming(command)))
  } else if (command.type === 'count') {
    before = 0
  } else {
    for (const counter of counters) counter.close()
    counters = []
    before = 0
  }
  return {
    sent,
    received: totalReceived() - before,
    seconds: (performance.now() - start) / 1_000,
    latenciesMs,
  }
}

async function open(command: Extract<SocketCommand, { type: 'open' }>) {
  const { count, endpoint, tokens, greetings = [] } = command
  while (counters.length < count) {
    const opening = Math.min(maxPendingHandshakes, count - counters.length)
    const open = async (index: number) => {
      const token = tokens[(counters.length + index) % tokens.length]
      const counter = await openFrameCounter({ ...endpoint, token })
      for (const { frame, responses } of greetings) {
        counter.send(textFrame(frame.replace('TOKEN', token ?? '')))
        await counter.waitForCount(responses)
      }
      return counter
    }
    const opened = await withTimeout(Promise.all(Array.from({ length: opening }, (_, index) => open(index))))
    counters.push(...opened)
  }
  for (const counter of counters) counter.received = 0
}

async function sendHeartbeats({ frame }: Extract<SocketCommand, { type: 'heartbeat' }>) {
  const received = counters.map((counter) =>
    counter.waitForCount(counter.received + 1).then(() => counter.send(pong)),
  )
  counters[0]?.send(textFrame(frame))
  await withTimeout(Promise.all(received))
  return 1
}

/** One socket sends bursts. It waits until every socket has received a burst before it sends the next one. */
async function fanOut({ frame, burst, seconds }: Extract<SocketCommand, { type: 'fan-out' }>) {
  const frames = Buffer.concat(Array.from({ length: burst }, () => textFrame(frame)))
  const start = performance.now()
  const earlier = counters[0]?.received ?? 0
  let sent = 0
  while (performance.now() - start < seconds * 1_000) {
    counters[0]?.send(frames)
    sent += burst
    await withTimeout(Promise.all(counters.map((counter) => counter.waitForCount(earlier + sent))))
  }
  return sent
}

/** Sends at fixed times without waiting for the previous frame: waiting would hide a stall of the server. */
async function pacedSend(command: Extract<SocketCommand, { type: 'paced-send' }>) {
  const { frame, everyMs, seconds, receiver = 0 } = command
  const [sender] = counters
  const counter = counters[receiver]
  if (!sender || !counter) throw new Error('No socket is open')
  const bytes = textFrame(frame)
  const earlier = counter.received
  const start = performance.now()
  const latencies: Array<Promise<number>> = []
  let previous: Promise<unknown> = Promise.resolve()
  for (let due = start; due < start + seconds * 1_000; due += everyMs) {
    const wait = due - performance.now()
    if (wait > 0) await Bun.sleep(wait)
    sender.send(bytes)
    const count = earlier + latencies.length + 1
    const latency = previous.then(() => counter.waitForCount(count)).then(() => performance.now() - due)
    latencies.push(latency)
    previous = latency
  }
  await withTimeout(previous)
  return Promise.all(latencies)
}

function openResuming({ count, endpoint, tokens, frames }: Extract<SocketCommand, { type: 'resume' }>) {
  return Array.from({ length: count }, async (_, index) => {
    const counter = await openFrameCounter({ ...endpoint, token: tokens[index % tokens.length] })
    counters.push(counter)
    await counter.waitForCount(frames)
  })
}

function totalReceived() {
  return counters.reduce((sum, counter) => sum + counter.received, 0)
}

async function withTimeout<T>(work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => reject(new Error(`Not all frames arrived within ${deliveryTimeoutMs} ms`)),
    deliveryTimeoutMs,
  )
  try {
    return await Promise.race([work, promise])
  } finally {
    clearTimeout(timer)
  }
}
