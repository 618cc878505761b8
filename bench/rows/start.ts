import { timeToFirstAnswer } from '../processes.ts'
import type { Result } from '../report.ts'
import { interleave, type Stage } from '../stage.ts'

/** From the start of the process to its first answer, with a database that is there already. */
export async function start(stage: Stage): Promise<Result[]> {
  const parley = await stage.parley({ messages: stage.size.missedMessages })
  await parley.stop()
  const taken = await interleave(
    { ...stage.size, rounds: stage.size.startUps },
    {
      parley: () => timeToFirstAnswer(parley.options),
      floor: () => timeToFirstAnswer(stage.floorOptions()),
    },
  )
  return [
    {
      work: 'Start, existing database',
      measure: 'to the first answer',
      unit: 'ms',
      samples: taken.parley,
      target: { sense: 'at most', value: 60 },
      figures: [{ name: 'bare `Bun.serve`, from source', unit: 'ms', samples: taken.floor }],
    },
  ]
}
