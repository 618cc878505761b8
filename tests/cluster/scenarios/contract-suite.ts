import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { policyNames } from '../../../src/contract/policies.ts'
import { startCluster } from '../cluster.ts'
import type { Scenario } from '../scenario.ts'

const driver = join(import.meta.dir, '../../contract/run.ts')
const runs = '10'

/** Quotas that no run of the suite uses up. */
const raisedLimits = Object.fromEntries(
  policyNames.map((policy) => [`RATE_LIMIT_${policy.toUpperCase()}`, '1000000/3600']),
)

/** The suite checks every promise of the documents; here, one node of a cluster has to keep them. */
export const contractSuite: Scenario = {
  title: 'the contract suite against one node of the cluster',
  rounds: 1,
  quickRounds: 0,
  async run({ postgres, random }) {
    await using cluster = await startCluster(postgres, raisedLimits)
    const folder = await mkdtemp(join(tmpdir(), 'parley-cluster-contract-'))
    try {
      const child = Bun.spawn([process.execPath, driver, '--runs', runs], {
        env: {
          ...process.env,
          BASE_URL: random.pick(cluster.nodes).url,
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
      const passed = Number(/^(\d+) passed, \d+ failed$/m.exec(output)?.[1] ?? 0)
      const failed = (output + errors).split('\n').filter((line) => line.startsWith('(fail)'))
      const findings = (await child.exited) === 0 ? [] : [...failed, output.trim().split('\n').at(-1) ?? '']
      return { acknowledged: passed, lost: 0, duplicated: 0, reordered: 0, findings, longestDelayMs: 0 }
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  },
}
