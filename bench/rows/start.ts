import { type Harness, interleave } from '../harness.ts'
import { timeToFirstAnswer } from '../processes.ts'
import type { Result } from '../report.ts'

/** From the start of the process to its first answer, with a database that is there already. */
export async function start(harness: Harness): Promise<Result[]> {
  const parley = await harness.startParley({ messages: harness.size.missedMessages })
  await parley.stop()
  const taken = await interleave(
    { ...harness.size, rounds: harness.size.startUps },
    {
      parley: () => timeToFirstAnswer(parley.options),
      baseline: () => timeToFirstAnswer(harness.baselineOptions()),
    },
  )
  return [
    {
      work: 'Start, existing database',
      measure: 'to the first answer',
      unit: 'ms',
      samples: taken.parley,
      target: { sense: 'at most', value: 60 },
      figures: [{ name: 'bare `Bun.serve`, from source', unit: 'ms', samples: taken.baseline }],
    },
  ]
}
