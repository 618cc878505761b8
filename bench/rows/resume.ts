import type { Harness } from '../harness.ts'
import type { SocketCommand } from '../load/sockets.ts'
import { type SocketLoad, startSocketLoad } from '../processes.ts'
import type { Result } from '../report.ts'
import { repeat, slowRounds } from '../rounds.ts'
import { ratios } from '../statistics.ts'
import { connectToParley, documentedFrame, resumePath } from './sockets.ts'

/** The interval at which a client that is already connected sends messages. */
const everyMs = 5
/** The duration of one series of paced messages. It is short because the last series outlasts the resume. */
const seriesSeconds = 0.1

/** Many clients resume at the same time and receive the missed messages, while another client sends. */
export async function resume(harness: Harness): Promise<Result[]> {
  const { resumingClients, missedMessages } = harness.size
  // One additional message, after which the clients resume.
  const parley = await harness.startParley({ messages: missedMessages + 1 })
  const sender = await startSocketLoad()
  const load = await startSocketLoad()
  await connectToParley(sender, parley, 1)

  const measured = await repeat(slowRounds(harness.size), async () => {
    const idleLatenciesMs = await sendPaced(sender, harness.size.socketSeconds)
    const endpoint = { port: parley.server.port, path: await resumePath(parley, missedMessages) }
    const { seconds, latenciesMs } = await resumeWhileSending(sender, load, {
      type: 'resume',
      count: resumingClients,
      endpoint,
      tokens: parley.tokens,
      frames: missedMessages,
    })
    await load.execute({ type: 'close' })
    return {
      idleP99Ms: p99(idleLatenciesMs),
      resumeP99Ms: p99(latenciesMs),
      perSecond: (resumingClients * missedMessages) / seconds,
    }
  })
  await Promise.all([load.stop(), sender.stop(), parley.stop()])

  const work = `Resume of ${missedMessages.toLocaleString('en-US')} messages, ${resumingClients.toLocaleString('en-US')} concurrent clients`
  const samples = (name: keyof (typeof measured)[number]) => measured.map((each) => each[name])
  return [
    {
      work,
      measure: 'messages per second to all clients',
      unit: 'messages/s',
      samples: samples('perSecond'),
      target: { sense: 'at least', value: 200_000 },
      figures: [],
    },
    {
      work,
      measure: 'p99 delivery latency of another client during the resume',
      unit: 'ms',
      samples: samples('resumeP99Ms'),
      target: { sense: 'at most', value: 50 },
      figures: [{ name: 'p99 delivery latency without resumes', unit: 'ms', samples: samples('idleP99Ms') }],
    },
    {
      work,
      measure: 'that p99, relative to the p99 without resumes',
      unit: '×',
      samples: ratios(samples('resumeP99Ms'), samples('idleP99Ms')),
      figures: [],
    },
  ]
}

/** The clients of `load` resume while another client sends. Returns their time, and the latencies of its messages. */
export async function resumeWhileSending(
  sender: SocketLoad,
  load: SocketLoad,
  command: Extract<SocketCommand, { type: 'resume' }>,
): Promise<{ seconds: number; latenciesMs: number[] }> {
  let resuming = true
  const resumed = load.execute(command).finally(() => {
    resuming = false
  })
  // `resumed` is awaited below. Avoid an unhandled rejection if another call fails before that.
  resumed.catch(() => {})
  const latenciesMs: number[] = []
  while (resuming) latenciesMs.push(...(await sendPaced(sender, seriesSeconds)))
  const { seconds } = await resumed
  return { seconds, latenciesMs }
}

/** Sends for the given time, and returns the latencies of the deliveries to the sender. */
export async function sendPaced(sender: SocketLoad, seconds: number): Promise<number[]> {
  return (await sender.execute({ type: 'paced-send', frame: documentedFrame, everyMs, seconds })).latenciesMs
}

export function p99(samples: readonly number[]): number {
  return samples.toSorted((a, b) => a - b)[Math.ceil(samples.length * 0.99) - 1] ?? Number.NaN
}
