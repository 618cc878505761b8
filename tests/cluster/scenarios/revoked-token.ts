import { bearer, createAccount, status } from '../../faults/account.ts'
import { within } from '../../faults/waiting.ts'
import { type Node, startCluster } from '../cluster.ts'
import type { Scenario } from '../scenario.ts'

const maxMs = 10_000

/** Uses the token on `node` until it is refused. Returns when it was accepted for the last time. */
async function useUntilRefused(node: Node, account: { username: string; token: string }): Promise<number> {
  let acceptedAt = Number.NEGATIVE_INFINITY
  for (;;) {
    const startedAt = performance.now()
    const code = await status(node, '/api/users/profile', account)
    if (code === 401) return acceptedAt
    if (code === 200) acceptedAt = startedAt
  }
}

/** A socket that sends nothing. Resolves with the time of its close. */
function closeOf(node: Node, token: string): { opened: Promise<void>; closed: Promise<[number, string]> } {
  const socket = new WebSocket(node.url.replace('http', 'ws'), {
    headers: { authorization: `Bearer ${token}` },
  })
  const [opened, closed] = [Promise.withResolvers<void>(), Promise.withResolvers<[number, string]>()]
  socket.onopen = () => opened.resolve()
  socket.onclose = ({ reason }) => closed.resolve([performance.now(), reason])
  return { opened: opened.promise, closed: closed.promise }
}

async function logout(node: Node, token: string, everywhere: boolean): Promise<void> {
  const response = await fetch(`${node.url}/api/auth/logout`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...bearer({ username: '', token }) },
    body: JSON.stringify({ everywhere }),
  })
  if (response.status !== 200) throw new Error(`logout returned ${response.status}`)
}

/** A token is revoked on one node while it is used on the others, with and without notifications. */
export const revokedToken: Scenario = {
  title: 'a token is revoked on one node while used on others',
  rounds: 4,
  quickRounds: 2,
  async run({ postgres, random }) {
    await using cluster = await startCluster(postgres)
    const [first, second, third] = cluster.nodes as [Node, Node, Node]
    const account = await createAccount(first, 'someone')
    const findings: string[] = []
    for (const node of cluster.nodes) {
      if ((await status(node, '/api/users/profile', account)) !== 200)
        findings.push(`${node.name} refuses the token`)
    }
    const sockets = [second, third].map((node) => closeOf(node, account.token))
    await Promise.all(sockets.map(({ opened }) => opened))
    const using = [second, third].map((node) => useUntilRefused(node, account))
    if (random.percent(50)) for (const { proxy } of [second, third]) proxy.cut()
    await logout(first, account.token, random.percent(50))
    const revokedAt = performance.now()
    const accepted = await within(maxMs, 'every node refuses the token', Promise.all(using))
    const closed = await within(
      maxMs,
      'every node closes the socket',
      Promise.all(sockets.map((one) => one.closed)),
    )
    for (const [, reason] of closed) {
      if (reason !== 'logged-out') findings.push(`a socket was closed with the reason ${reason}`)
    }
    const longestDelayMs = Math.max(...accepted, ...closed.map(([at]) => at)) - revokedAt
    return { acknowledged: 1, lost: 0, duplicated: 0, reordered: 0, findings, longestDelayMs }
  },
}
