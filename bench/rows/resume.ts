import { type Harness, repeat } from '../harness.ts'
import { type SocketLoad, startSocketLoad } from '../processes.ts'
import { type Result, ratios } from '../report.ts'
import { documentedFrame, joinParley, resumePath } from './sockets.ts'

/** Who is connected already sends so often. */
const everyMs = 5
/** Short, since the last pace outlasts what it goes beside. */
const paceSeconds = 0.1

/** Many clients come back at once and get what they missed, while others talk. */
export async function resume(harness: Harness): Promise<Result[]> {
  const { resumers, missedMessages } = harness.size
  // One more, after which they resume.
  const parley = await harness.startParley({ messages: missedMessages + 1 })
  const talker = await startSocketLoad()
  const load = await startSocketLoad()
  await joinParley(talker, parley, 1)

  const taken = await repeat(harness.size, async () => {
    const calm = await talk(talker, harness.size.seconds)
    const endpoint = { port: parley.server.port, path: await resumePath(parley, missedMessages) }
    let resuming = true
    const resumed = load
      .carryOut({ do: 'resume', count: resumers, endpoint, tokens: parley.tokens, frames: missedMessages })
      .finally(() => {
        resuming = false
      })
    // It is awaited below, after what may fail first.
    resumed.catch(() => {})
    const latenciesMs: number[] = []
    while (resuming) latenciesMs.push(...(await talk(talker, paceSeconds)))
    const { seconds } = await resumed
    await load.carryOut({ do: 'end' })
    return { calmMs: p99(calm), busyMs: p99(latenciesMs), perSecond: (resumers * missedMessages) / seconds }
  })
  await Promise.all([load.stop(), talker.stop(), parley.stop()])

  const work = `Resume of ${missedMessages.toLocaleString('en-US')} messages, ${resumers} clients at once`
  const samples = (name: keyof (typeof taken)[number]) => taken.map((each) => each[name])
  return [
    {
      work,
      measure: 'messages a second, in all',
      unit: 'messages/s',
      samples: samples('perSecond'),
      target: { sense: 'at least', value: 200_000 },
      figures: [],
    },
    {
      work,
      measure: 'p99 of a delivery to others meanwhile',
      unit: 'ms',
      samples: samples('busyMs'),
      target: { sense: 'at most', value: 50 },
      figures: [{ name: 'p99 of a delivery without resumes', unit: 'ms', samples: samples('calmMs') }],
    },
    {
      work,
      measure: 'p99 of a delivery without resumes',
      unit: '×',
      samples: ratios(samples('busyMs'), samples('calmMs')),
      figures: [],
    },
  ]
}

async function talk(talker: SocketLoad, seconds: number): Promise<number[]> {
  return (await talker.carryOut({ do: 'pace', frame: documentedFrame, everyMs, seconds })).latenciesMs
}

function p99(samples: readonly number[]): number {
  return samples.toSorted((a, b) => a - b)[Math.ceil(samples.length * 0.99) - 1] ?? Number.NaN
}
