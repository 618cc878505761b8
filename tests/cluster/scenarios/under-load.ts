import { until } from '../../faults/waiting.ts'
import { type Cluster, startCluster } from '../cluster.ts'
import { type Load, type LoadVerdict, startLoad } from '../load.ts'
import type { Context, Scenario } from '../scenario.ts'

/** Long enough for some hundred messages. */
const steadyMs = 700

/** Sends on all nodes, lets `fault` happen, and checks that the cluster works again afterwards. */
export async function runUnderLoad(
  cluster: Cluster,
  { random }: Context,
  fault: () => Promise<void>,
): Promise<LoadVerdict> {
  const load = await startLoad({ cluster, random: random.branch() })
  await Bun.sleep(steadyMs)
  await fault()
  await continueFor(load, 50)
  return load.finish()
}

/** A scenario that consists of one fault. */
export function underLoad(
  title: string,
  fault: (cluster: Cluster, context: Context) => Promise<void>,
  rounds = 3,
  quickRounds = 1,
): Scenario {
  return {
    title,
    rounds,
    quickRounds,
    async run(context) {
      await using cluster = await startCluster(context.postgres)
      // Awaited here: the cluster is stopped when this function returns.
      return await runUnderLoad(cluster, context, () => fault(cluster, context))
    },
  }
}

/** Waits until some more messages are acknowledged. */
async function continueFor(load: Load, messages: number): Promise<void> {
  const target = load.acknowledged() + messages
  await until(60_000, 'messages are acknowledged after the fault', () => load.acknowledged() >= target)
}
