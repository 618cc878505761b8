// The process that holds many sockets. It takes one command at a time from its parent, and answers each.
// Run apart from the server and from the one who measures, so that its work is nobody else's.

import { type Endpoint, type FrameCounter, openFrameCounter, textFrame } from './frame-counter.ts'

export type SocketCommand =
  | {
      do: 'open'
      /** One connection each; tokens are taken in turn. */
      count: number
      endpoint: Omit<Endpoint, 'token'>
      tokens: string[]
      /** Sent by each socket as soon as it is open: how Socket.IO joins its namespace. */
      greeting?: string
      /** Frames that each socket has to have before it counts as open. */
      greetingAnswers?: number
    }
  | { do: 'fan-out'; frame: string; burst: number; seconds: number }
  /** One socket sends a frame every so often; each comes back to it. */
  | { do: 'pace'; frame: string; everyMs: number; seconds: number }
  | { do: 'resume'; count: number; endpoint: Omit<Endpoint, 'token'>; tokens: string[]; frames: number }
  | { do: 'total' }
  | { do: 'end' }

export interface SocketAnswer {
  sent: number
  received: number
  seconds: number
  /** Of a pace: from when a frame was due to its return, in the order of sending. */
  latenciesMs: number[]
}

/** So many connections are being opened at a time: below any listen backlog. */
const openingAtOnce = 64
const longestWaitMs = 60_000

let counters: FrameCounter[] = []

process.on('message', async (command: SocketCommand) => {
  try {
    process.send?.({ answer: await carryOut(command) })
  } catch (error) {
    process.send?.({ error: String(error) })
  }
})
process.send?.({ ready: true })

async function carryOut(command: SocketCommand): Promise<SocketAnswer> {
  const start = performance.now()
  let sent = 0
  let latenciesMs: number[] = []
  let before = total()
  if (command.do === 'open') {
    await open(command)
  } else if (command.do === 'fan-out') {
    sent = await fanOut(command)
  } else if (command.do === 'pace') {
    latenciesMs = await pace(command)
    sent = latenciesMs.length
  } else if (command.do === 'resume') {
    counters = []
    before = 0
    await within(Promise.all(resumers(command)))
  } else if (command.do === 'total') {
    before = 0
  } else {
    for (const counter of counters) counter.end()
    counters = []
    before = 0
  }
  return { sent, received: total() - before, seconds: (performance.now() - start) / 1_000, latenciesMs }
}

async function open(command: Extract<SocketCommand, { do: 'open' }>) {
  const { count, endpoint, tokens, greeting, greetingAnswers = 0 } = command
  while (counters.length < count) {
    const opening = Math.min(openingAtOnce, count - counters.length)
    const opened = await Promise.all(
      Array.from({ length: opening }, (_, index) =>
        openFrameCounter({ ...endpoint, token: tokens[(counters.length + index) % tokens.length] }),
      ),
    )
    if (greeting) for (const counter of opened) counter.send(textFrame(greeting))
    await within(Promise.all(opened.map((counter) => counter.reach(greetingAnswers))))
    counters.push(...opened)
  }
  for (const counter of counters) counter.received = 0
}

/** One socket sends a burst, and the next one when every socket has all of it: nobody falls behind. */
async function fanOut({ frame, burst, seconds }: Extract<SocketCommand, { do: 'fan-out' }>) {
  const frames = Buffer.concat(Array.from({ length: burst }, () => textFrame(frame)))
  const start = performance.now()
  const earlier = counters[0]?.received ?? 0
  let sent = 0
  while (performance.now() - start < seconds * 1_000) {
    counters[0]?.send(frames)
    sent += burst
    await within(Promise.all(counters.map((counter) => counter.reach(earlier + sent))))
  }
  return sent
}

/** Sends by the clock, whether or not the frame before has come back: waiting would hide a stall. */
async function pace({ frame, everyMs, seconds }: Extract<SocketCommand, { do: 'pace' }>) {
  const [counter] = counters
  if (!counter) throw new Error('No socket is open')
  const bytes = textFrame(frame)
  const earlier = counter.received
  const start = performance.now()
  const returns: Array<Promise<number>> = []
  let returned: Promise<unknown> = Promise.resolve()
  for (let due = start; due < start + seconds * 1_000; due += everyMs) {
    const wait = due - performance.now()
    if (wait > 0) await Bun.sleep(wait)
    counter.send(bytes)
    const count = earlier + returns.length + 1
    const back = returned.then(() => counter.reach(count)).then(() => performance.now() - due)
    returns.push(back)
    returned = back
  }
  await within(returned)
  return Promise.all(returns)
}

function resumers({ count, endpoint, tokens, frames }: Extract<SocketCommand, { do: 'resume' }>) {
  return Array.from({ length: count }, async (_, index) => {
    const counter = await openFrameCounter({ ...endpoint, token: tokens[index % tokens.length] })
    counters.push(counter)
    await counter.reach(frames)
  })
}

function total() {
  return counters.reduce((sum, counter) => sum + counter.received, 0)
}

async function within(work: Promise<unknown>) {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error('Not all frames came within a minute')), longestWaitMs)
  try {
    await Promise.race([work, promise])
  } finally {
    clearTimeout(timer)
  }
}
