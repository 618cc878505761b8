import { type Account, bearer, createAccount } from '../../faults/account.ts'
import { within } from '../../faults/waiting.ts'
import { startBalancer } from '../balancer.ts'
import { type Node, startCluster } from '../cluster.ts'
import type { Scenario } from '../scenario.ts'

const readQuota = 120
const loginQuota = 10
const maxSockets = 6
/** The lifetime of a node in the store, and time to notice its end on a busy machine. */
const maxLeaseMs = 30_000

const times = <Result>(count: number, run: (index: number) => Promise<Result>): Promise<Result[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => run(index)))

interface Outcome {
  readonly status: number
  readonly retryAfter: string | null
}

async function request(url: string, init: RequestInit): Promise<Outcome> {
  // A new connection for each request, so that the balancer distributes them.
  const response = await fetch(url, { ...init, keepalive: false, signal: AbortSignal.timeout(30_000) })
  await response.bytes()
  return { status: response.status, retryAfter: response.headers.get('retry-after') }
}

const readProfile = (url: string, account: Account) =>
  request(`${url}/api/users/profile`, { headers: { ...bearer(account), connection: 'close' } })

const login = (url: string, index: number) =>
  request(`${url}/api/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', connection: 'close' },
    body: JSON.stringify({ username: `nobody-${index}`, password: 'not the password' }),
  })

/** Opens a WebSocket. Resolves with undefined if it is refused. */
function openSocket(url: string, account: Account): Promise<WebSocket | undefined> {
  const socket = new WebSocket(url.replace('http', 'ws'), { headers: bearer(account) })
  const { promise, resolve } = Promise.withResolvers<WebSocket | undefined>()
  socket.onopen = () => resolve(socket)
  socket.onerror = () => resolve(undefined)
  socket.onclose = () => resolve(undefined)
  return promise
}

const isOpen = (socket: WebSocket | undefined): socket is WebSocket => socket?.readyState === WebSocket.OPEN

/** Returns what is wrong with the outcomes of requests under one limit. */
function checkOutcomes(name: string, outcomes: readonly Outcome[], [least, most]: readonly [number, number]) {
  const refused = outcomes.filter(({ status }) => status === 429)
  const count = outcomes.length - refused.length
  const findings = refused
    .filter(({ retryAfter }) => !(Number(retryAfter) >= 1 && Number(retryAfter) <= 60))
    .map(({ retryAfter }) => `${name}: Retry-After is ${retryAfter}`)
  if (count < least || count > most) findings.push(`${name}: ${count} admitted, not ${least} to ${most}`)
  return findings.slice(0, 3)
}

/** One client uses all nodes at once, by a load balancer. Then a node that holds its sockets is killed. */
export const limits: Scenario = {
  title: 'limits are shared, and a node with sockets is killed',
  rounds: 3,
  quickRounds: 1,
  async run({ postgres, random }) {
    await using cluster = await startCluster(postgres, {
      RATE_LIMIT_READ: `${readQuota}/60`,
      RATE_LIMIT_LOGIN: `${loginQuota}/60`,
      RATE_LIMIT_CONNECT: '10000/60',
      MAX_SOCKETS_PER_USER: String(maxSockets),
    })
    using balancer = await startBalancer(cluster.nodes)
    const { url } = balancer
    const account = await createAccount(random.pick(cluster.nodes), 'someone')
    const reads = await times(600, () => readProfile(url, account))
    // Creating the account was the first login.
    const logins = await times(60, (index) => login(url, index))
    const findings = [
      ...checkOutcomes('reads', reads, [readQuota, readQuota * 1.1]),
      ...checkOutcomes('logins', logins, [loginQuota - 1, loginQuota - 1]),
    ]

    // On the nodes themselves, to know which of them has which sockets.
    const nodeOf = (index: number) => cluster.nodes[index % cluster.nodes.length] as Node
    const opened = await times(30, async (index) => ({
      node: nodeOf(index),
      socket: await openSocket(nodeOf(index).url, account),
    }))
    const held = opened.filter(({ socket }) => isOpen(socket))
    const sockets = held.flatMap(({ socket }) => socket ?? [])
    if (sockets.length !== maxSockets) findings.push(`${sockets.length} sockets, not ${maxSockets}`)
    const killed = random.pick(held).node
    await cluster.kill(killed)
    const killedAt = performance.now()
    const closed = async () => {
      while (held.some(({ node, socket }) => node === killed && isOpen(socket))) await Bun.sleep(10)
    }
    await within(maxLeaseMs, 'the sockets of the killed node close', closed())
    const reopen = async () => {
      while (sockets.filter(isOpen).length < maxSockets) {
        const socket = await openSocket(url, account)
        if (socket) sockets.push(socket)
        else await Bun.sleep(100)
      }
    }
    await within(maxLeaseMs, 'the sockets of the killed node no longer count', reopen()).catch((error) =>
      findings.push(String(error)),
    )
    const longestDelayMs = performance.now() - killedAt
    const more = (await times(9, () => openSocket(url, account))).filter(isOpen)
    if (more.length > 0) findings.push(`${more.length} sockets beyond the limit`)
    for (const socket of [...sockets, ...more]) socket.close()
    return { acknowledged: reads.length, lost: 0, duplicated: 0, reordered: 0, findings, longestDelayMs }
  },
}
