import { bearer, createAccount, listMessages } from '../../faults/account.ts'
import { startCluster } from '../cluster.ts'
import type { Scenario } from '../scenario.ts'

const keys = 100

/** Every key reaches all nodes at the same moment, some with another message. */
export const sameKey: Scenario = {
  title: 'the same idempotency key on three nodes at once',
  rounds: 5,
  quickRounds: 1,
  async run({ postgres, random }) {
    await using cluster = await startCluster(postgres)
    const [first] = cluster.nodes
    if (!first) throw new Error('The cluster has no nodes')
    const account = await createAccount(first, 'someone')
    const findings: string[] = []
    let acknowledged = 0

    async function sendEverywhere(key: string, differs: boolean): Promise<void> {
      const responses = await Promise.all(
        cluster.nodes.map(async ({ url }, index) => {
          const message = differs && index === 0 ? `${key} another` : key
          const response = await fetch(`${url}/api/chats/send`, {
            method: 'POST',
            headers: {
              'content-type': 'application/json',
              'idempotency-key': `"${key}"`,
              ...bearer(account),
            },
            body: JSON.stringify({ message }),
          })
          await response.bytes()
          return { status: response.status, location: response.headers.get('content-location') }
        }),
      )
      const statuses = responses.map(({ status }) => status).sort()
      const expected = differs
        ? [
            [200, 200, 422],
            [200, 422, 422],
          ]
        : [[200, 200, 200]]
      if (!expected.some((each) => each.join() === statuses.join())) {
        findings.push(`${key} was answered by ${statuses}`)
      }
      const locations = new Set(
        responses.filter(({ status }) => status === 200).map(({ location }) => location),
      )
      if (locations.size !== 1) findings.push(`${key} is said to be stored as ${[...locations]}`)
      acknowledged++
    }

    for (let i = 0; i < keys; i++) await sendEverywhere(`key-${i}`, random.percent(30))
    const log = await listMessages(first, account)
    const stored = new Set(log.map(({ idempotencyKey }) => idempotencyKey))
    return {
      acknowledged,
      lost: keys - stored.size,
      duplicated: log.length - stored.size,
      reordered: 0,
      findings,
      longestDelayMs: 0,
    }
  },
}
