import { startCaddy } from '../caddy.ts'
import { startCluster } from '../cluster.ts'
import { composeSettings } from '../compose.ts'
import { startLoad } from '../load.ts'
import type { Scenario } from '../scenario.ts'

/** As Retry-After says. */
const pauseMs = 1000

/** Clients know only the address of the proxy, and repeat a failed request once. */
export const rollingRestart: Scenario = {
  title: 'behind Caddy, all nodes are restarted, and clients repeat once',
  rounds: 2,
  quickRounds: 1,
  async run({ postgres, random }) {
    await using cluster = await startCluster(postgres, { ...composeSettings(), RATE_LIMITS: 'off' })
    await using caddy = await startCaddy({ nodes: cluster.nodes.map(({ url }) => new URL(url).host) })
    const [node] = cluster.nodes
    if (!node) throw new Error('The cluster has no nodes')
    const proxied = { ...cluster, nodes: [{ ...node, url: caddy.url }] }
    const load = await startLoad({
      cluster: proxied,
      random: random.branch(),
      readersPerNode: 9,
      retries: { most: 1, pauseMs },
    })
    for (const each of [...cluster.nodes]) {
      await Bun.sleep(pauseMs)
      await cluster.restart(each)
    }
    return await load.finish()
  },
}
