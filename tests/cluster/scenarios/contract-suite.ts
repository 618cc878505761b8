import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { policyNames } from '../../../src/contract/policies.ts'
import type { Random } from '../../faults/random.ts'
import { startCaddy } from '../caddy.ts'
import { startCluster } from '../cluster.ts'
import { composeSettings } from '../compose.ts'
import type { LoadVerdict } from '../load.ts'
import type { Scenario } from '../scenario.ts'

const driver = join(import.meta.dir, '../../contract/run.ts')
const runs = '10'

/** Quotas that no run of the suite uses up. */
const raisedLimits = Object.fromEntries(
  policyNames.map((policy) => [`RATE_LIMIT_${policy.toUpperCase()}`, '1000000/3600']),
)

/**
 * Runs the suite against a service, and counts its checks.
 *
 * @param undecided the titles of tests whose outcome depends on the proxy
 */
async function runSuite(
  url: string,
  random: Random,
  undecided: readonly string[] = [],
): Promise<LoadVerdict> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-cluster-contract-'))
  try {
    const child = Bun.spawn([process.execPath, driver, '--runs', runs], {
      env: {
        ...process.env,
        BASE_URL: url,
        REPORTS_DIR: folder,
        SEED: String(random.between(0, 0x7fffffff)),
      },
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'pipe',
    })
    const [output, errors] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
    ])
    const [, passed = 0, failures = -1] = (/^(\d+) passed, (\d+) failed$/m.exec(output) ?? []).map(Number)
    // The lines appear in the summary again.
    const failed = new Set(
      (output + errors)
        .split('\n')
        .filter((line) => line.startsWith('(fail)'))
        .map((line) => line.replace(/ \[[^\]]*\]$/, '')),
    )
    const excused = [...failed].filter((line) => undecided.some((title) => line.includes(title)))
    const findings =
      failures === excused.length
        ? []
        : [...failed, `${passed} passed, ${failures} failed, ${excused.length} of them due to the proxy`]
    await child.exited
    return { acknowledged: passed, lost: 0, duplicated: 0, reordered: 0, findings, longestDelayMs: 0 }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** The suite checks every promise of the documents; here, one node of a cluster has to keep them. */
export const contractSuite: Scenario = {
  title: 'the contract suite against one node of the cluster',
  rounds: 1,
  quickRounds: 0,
  async run({ postgres, random }) {
    await using cluster = await startCluster(postgres, raisedLimits)
    return await runSuite(random.pick(cluster.nodes).url, random)
  },
}

/** A proxy takes `Upgrade` and `Connection` from the client and writes its own. Caddy takes no list. */
const decidedByProxy = ['accepts WebSocket in a list of protocols, in any letter case']

/** Each request of the suite reaches another node, through the proxy of compose.yaml. */
export const contractSuiteBehindCaddy: Scenario = {
  title: 'the contract suite behind Caddy, against all nodes',
  rounds: 1,
  quickRounds: 0,
  async run({ postgres, random }) {
    await using cluster = await startCluster(postgres, { ...composeSettings(), ...raisedLimits })
    await using caddy = await startCaddy({ nodes: cluster.nodes.map(({ url }) => new URL(url).host) })
    return await runSuite(caddy.url, random, decidedByProxy)
  },
}
