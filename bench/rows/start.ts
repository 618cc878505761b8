import { type Harness, interleave } from '../harness.ts'
import { timeToFirstResponse } from '../processes.ts'
import type { Result } from '../report.ts'

/** Measures the time from the start of the process to its first response, with an existing database. */
export async function start(harness: Harness): Promise<Result[]> {
  const parley = await harness.startParley({ messages: harness.size.missedMessages })
  await parley.stop()
  const measured = await interleave(
    { ...harness.size, rounds: harness.size.startRounds },
    {
      parley: () => timeToFirstResponse(parley.options),
      baseline: () => timeToFirstResponse(harness.baselineOptions()),
    },
  )
  return [
    {
      work: 'Startup, existing database',
      measure: 'time to the first response',
      unit: 'ms',
      samples: measured.parley,
      target: { sense: 'at most', value: 60 },
      figures: [{ name: 'bare `Bun.serve`, from source', unit: 'ms', samples: measured.baseline }],
    },
  ]
}
