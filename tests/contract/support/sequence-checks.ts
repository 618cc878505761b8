import { isOperation, targetOf } from './checks.ts'
import type { Contract, RateLimit } from './contract.ts'
import { parseJson } from './expected-outcomes.ts'
import type { Exchange, TrafficEvent } from './traffic.ts'

/** Checks that depend on the order of the traffic: rate-limit counts, login waits and causes of closes. */
export function checkSequence(contract: Contract, traffic: TrafficEvent[]): string[] {
  return [
    ...checkCounts(contract, traffic),
    ...checkLoginGuard(contract, traffic),
    ...checkCloses(contract, traffic),
  ]
}

/** On a server with the documented quotas, checks the remaining requests in `RateLimit` for each partition. */
function checkCounts(contract: Contract, traffic: TrafficEvent[]): string[] {
  const findings: string[] = []
  const countedServers = new Set(
    traffic.flatMap((one) => (one.kind === 'server' && one.limits === 'documented' ? [one.server] : [])),
  )
  const used = new Map<string, number>()
  const owners = new Map<string, string>()
  const use = (server: string, limit: RateLimit, token: string | undefined) => {
    const owner = limit.partition === 'user' ? token : undefined
    const key = [server, limit.policy, owner ?? 'address'].join(' ')
    used.set(key, (used.get(key) ?? 0) + 1)
    return Math.max(0, limit.quota - (used.get(key) ?? 0))
  }
  for (const event of traffic) {
    if (!countedServers.has(event.server)) continue
    if (event.kind === 'opened') {
      owners.set(event.socket, tokenOf(event.request.headers) ?? '')
      use(event.server, contract.channel.rateLimit, undefined)
    }
    if (event.kind === 'turn') use(event.server, contract.channel.sendLimit, owners.get(event.socket))
    if (event.kind !== 'exchange' && event.kind !== 'handshake') continue
    const remaining = /;r=([0-9]+);/.exec(event.response.headers.ratelimit ?? '')?.[1]
    const target = event.kind === 'handshake' ? undefined : targetOf(contract, event.request)
    const limit =
      target === undefined ? contract.channel.rateLimit : isOperation(target) ? target.rateLimit : undefined
    if (remaining === undefined || !limit) continue
    const invalid = event.response.status === 401
    const expected = use(event.server, limit, invalid ? undefined : tokenOf(event.request.headers))
    if (Number(remaining) === expected) continue
    findings.push(`${event.request.path}: ${remaining} requests remain; expected ${expected}`)
  }
  return findings
}

function tokenOf(headers: Record<string, string>): string | undefined {
  return headers.authorization?.replace('Bearer ', '')
}

/** Checks the number of failed logins of a username before throttling, and the duration of the first wait. */
function checkLoginGuard(contract: Contract, traffic: TrafficEvent[]): string[] {
  const findings: string[] = []
  const failures = new Map<string, { count: number; at: number }>()
  for (const event of traffic) {
    if (event.kind !== 'exchange') continue
    const target = targetOf(contract, event.request)
    const guard = isOperation(target) ? target.loginGuard : undefined
    const code = codeOf(event)
    if (
      !guard ||
      (event.response.status !== 200 && code !== 'invalid-credentials' && code !== 'login-throttled')
    )
      continue
    const { username } = parseJson(event.request.body ?? '') as { username: string }
    const key = `${event.server} ${username.toLowerCase()}`
    const before = failures.get(key) ?? { count: 0, at: 0 }
    if (event.response.status === 200) failures.delete(key)
    if (code === 'invalid-credentials') failures.set(key, { count: before.count + 1, at: event.at })
    const free = guard['free-failures']
    if (code === 'login-throttled' && before.count < free)
      findings.push(`throttled after ${before.count} failures; expected after ${free}`)
    if (code === 'invalid-credentials' && before.count === free && event.at - before.at < 900) {
      findings.push(`not throttled after ${before.count} failures; expected after ${free}`)
    }
    if (code !== 'login-throttled' || before.count !== free) continue
    const wait = Math.ceil(guard['first-wait'] - (event.at - before.at) / 1000)
    const retryAfter = Number(event.response.headers['retry-after'])
    // Client and server may round the same wait to different seconds.
    if (Math.abs(retryAfter - wait) > (event.at - before.at > 800 ? 1 : 0))
      findings.push(`the first wait is ${retryAfter} s; expected ${wait} s`)
  }
  return findings
}

function codeOf(event: Exchange): string | undefined {
  return event.response.status < 400 ? undefined : (parseJson(event.response.body) as { code?: string }).code
}

function checkCloses({ channel }: Contract, traffic: TrafficEvent[]): string[] {
  const findings: string[] = []
  const consecutiveErrors = new Map<string, number>()
  const longest = new Map<string, number>()
  for (const event of traffic) {
    if (event.kind === 'sent')
      longest.set(event.socket, Math.max(longest.get(event.socket) ?? 0, Buffer.byteLength(event.text)))
    if (event.kind === 'turn' && Buffer.byteLength(event.sent) > channel.maxFrameBytes) {
      findings.push(
        `a frame of ${Buffer.byteLength(event.sent)} bytes was accepted; the limit is ${channel.maxFrameBytes}`,
      )
    }
    if (event.kind === 'received') {
      const { problem } = JSON.parse(event.text) as { problem?: { code: string } }
      const count =
        problem?.code === 'rate-limit-exceeded' ? (consecutiveErrors.get(event.socket) ?? 0) + 1 : 0
      consecutiveErrors.set(event.socket, count)
    }
    if (event.kind !== 'closed') continue
    const size = longest.get(event.socket) ?? 0
    if (event.cause === 'frame-too-large' && size <= channel.maxFrameBytes) {
      findings.push(`closed for a frame of ${size} bytes; the limit is ${channel.maxFrameBytes}`)
    }
    const { refusals } = channel.closeCodes[event.cause] ?? {}
    const count = consecutiveErrors.get(event.socket) ?? 0
    if (refusals !== undefined && count !== refusals)
      findings.push(`closed after ${count} consecutive rate-limit errors; expected ${refusals}`)
  }
  return findings
}
