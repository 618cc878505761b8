import { isOperation, targetOf } from './checks.ts'
import type { Channel, Contract, RateLimit } from './contract.ts'
import type { Json } from './documents.ts'
import {
  clientMessageOf,
  MALFORMED,
  parseJson,
  parseJsonText,
  tokenOfHandshake,
} from './expected-outcomes.ts'
import { createTokenOwners } from './token-owners.ts'
import type { Exchange, TrafficEvent, Turn } from './traffic.ts'

/** Checks that depend on the order of the traffic: rate-limit counts, login waits and causes of closes. */
export function checkSequence(contract: Contract, traffic: TrafficEvent[]): string[] {
  return [
    ...checkCounts(contract, traffic),
    ...checkFrameLimits(contract, traffic),
    ...checkFrames(contract, traffic),
    ...checkLoginGuard(contract, traffic),
    ...checkCloses(contract, traffic),
  ]
}

/** Counts the requests and frames of each partition, and returns how many the limit leaves. */
function createCounts() {
  const used = new Map<string, number>()
  return (server: string, { policy, partition, quota }: RateLimit, token: string | undefined) => {
    const key = [server, policy, (partition === 'user' ? token : undefined) ?? 'address'].join(' ')
    used.set(key, (used.get(key) ?? 0) + 1)
    return quota - (used.get(key) ?? 0)
  }
}

/** On a server with the documented quotas, checks the remaining requests in `RateLimit` for each partition. */
function checkCounts({ channel, ...contract }: Contract, traffic: TrafficEvent[]): string[] {
  const findings: string[] = []
  const countedServers = new Set(
    traffic.flatMap((one) => (one.kind === 'server' && one.limits === 'documented' ? [one.server] : [])),
  )
  const use = createCounts()
  const owners = new Map<string, string | undefined>()
  const users = createTokenOwners({ channel, ...contract })
  const userOf = (server: string, token: string | undefined) =>
    token === undefined ? undefined : users.ownerOf(server, token)
  for (const event of traffic) {
    if (!countedServers.has(event.server)) continue
    users.observe(event)
    if (event.kind === 'opened') {
      const user = userOf(event.server, tokenOfHandshake(channel, event.request))
      owners.set(event.socket, user)
      use(event.server, channel.rateLimit, user)
    }
    if (event.kind === 'refused') {
      const token = countedToken(event.reason, tokenOfHandshake(channel, event.request))
      use(event.server, channel.rateLimit, userOf(event.server, token))
    }
    if (event.kind === 'turn') {
      const limit = limitOfFrame(channel, event)
      if (limit) use(event.server, limit, owners.get(event.socket))
    }
    if (event.kind !== 'exchange' && event.kind !== 'handshake') continue
    const remaining = /;r=([0-9]+);/.exec(event.response.headers.ratelimit ?? '')?.[1]
    const target = event.kind === 'handshake' ? undefined : targetOf({ channel, ...contract }, event.request)
    const limit =
      target === undefined ? channel.rateLimit : isOperation(target) ? target.rateLimit : undefined
    if (remaining === undefined || !limit) continue
    const token = countedToken(codeOf(event), tokenOfHandshake(channel, event.request))
    const expected = Math.max(0, use(event.server, limit, userOf(event.server, token)))
    if (Number(remaining) === expected) continue
    findings.push(`${event.request.path}: ${remaining} requests remain; expected ${expected}`)
  }
  return findings
}

/** The token that a request is counted for. Without a valid one, it is counted for its address. */
function countedToken(code: string | undefined, token: string | undefined): string | undefined {
  const anonymous = ['invalid-token', 'malformed-handshake', 'unsupported-websocket-version']
  return code !== undefined && anonymous.includes(code) ? undefined : token
}

/** The rate limit of a client frame: a frame that violates its schema is counted as a message to send. */
function limitOfFrame(channel: Channel, { sent, reply }: Turn): RateLimit | undefined {
  const frame = parseJsonText(sent)
  const fallback = clientMessageOf(channel, null)?.rateLimit
  if (frame === MALFORMED || reply.includes('"code":"validation-failed"')) return fallback
  return clientMessageOf(channel, frame)?.rateLimit ?? fallback
}

/**
 * Checks when frames exceed their limit, on the servers whose quota for frames is known: the documented one,
 * or that of their settings. Only frames are counted, so this applies to policies that no operation shares.
 */
function checkFrameLimits({ channel, operations }: Contract, traffic: TrafficEvent[]): string[] {
  const findings: string[] = []
  const servers = new Map(traffic.flatMap((one) => (one.kind === 'server' ? [[one.server, one]] : [])))
  const use = createCounts()
  const owners = new Map<string, string | undefined>()
  const longestWait = new Map<RateLimit, number>()
  for (const event of traffic) {
    if (event.kind === 'opened') owners.set(event.socket, tokenOfHandshake(channel, event.request))
    if (event.kind !== 'turn') continue
    const { limits, quotas } = servers.get(event.server) ?? {}
    const limit = limitOfFrame(channel, event)
    if (!limit || operations.some((one) => one.rateLimit.policy === limit.policy)) continue
    if (limits !== 'documented' && quotas?.[limit.policy] === undefined) {
      // Settings are named like the policies of the documents, so a known quota needs a known policy.
      if (limits !== 'unknown' || Object.keys(quotas ?? {}).length === 0) continue
      findings.push(`the quota of the policy ${limit.policy} is not set`)
      continue
    }
    const quota = quotas?.[limit.policy] ?? limit.quota
    const exceeded = use(event.server, { ...limit, quota }, owners.get(event.socket)) < 0
    const { problem, retryAfter = 0 } = JSON.parse(event.reply) as {
      problem?: { code: string }
      retryAfter?: number
    }
    const refused = problem?.code === 'rate-limit-exceeded'
    if (refused !== exceeded)
      findings.push(
        `a frame was ${refused ? 'refused' : 'accepted'}, contrary to the quota ${quota} of ${limit.policy}`,
      )
    if (refused && limits === 'documented')
      longestWait.set(limit, Math.max(retryAfter, longestWait.get(limit) ?? 0))
  }
  for (const [{ policy, window }, wait] of longestWait) {
    // The test exceeds the quota within the first second of the window at least once.
    if (wait !== window)
      findings.push(`the longest wait for ${policy} is ${wait} s; the window has ${window} s`)
  }
  return findings
}

const roomEvents = new Set(['joined', 'left', 'room-changed', 'room-removed'])

/** Checks the frames of each connection that depend on earlier ones. */
function checkFrames({ channel }: Contract, traffic: TrafficEvent[]): string[] {
  const findings: string[] = []
  const sockets = new Map<
    string,
    { resumes: boolean; caughtUp: boolean; ids: Set<string>; sent: string[]; last?: string }
  >()
  /** The servers on which messages have been erased, or whose log also has entries that not every client receives. */
  const erasing = new Set<string>()
  for (const event of traffic) {
    if (event.kind === 'exchange' && event.request.body?.includes('"eraseMessages":true'))
      erasing.add(event.server)
    if (event.kind === 'exchange' && event.request.path.startsWith('/api/rooms')) erasing.add(event.server)
    if (event.kind === 'opened') {
      const resumes = event.request.query.after !== undefined
      sockets.set(event.socket, { resumes, caughtUp: false, ids: new Set(), sent: [] })
    }
    const socket = 'socket' in event ? sockets.get(event.socket) : undefined
    if (!socket) continue
    if (event.kind === 'sent') socket.sent.push(event.text)
    if (event.kind !== 'received') continue
    const frame = JSON.parse(event.text) as {
      event: string
      id: string
      cursor: string
      idempotencyKey: string
    }
    const wrong = (text: string) => findings.push(`[${event.server}] socket ${event.socket}: ${text}`)
    const receive = (id: string) => {
      if (socket.ids.has(id)) wrong(`received the entry ${id} twice`)
      socket.ids.add(id)
      socket.last = id
    }
    if (frame.event === 'message') {
      receive(frame.id)
    } else if (roomEvents.has(frame.event)) {
      receive(frame.id)
    } else if (frame.event === 'gap') {
      if (!socket.resumes || socket.caughtUp) wrong('received a gap, but is not in a replay')
    } else if (frame.event === 'caught-up') {
      if (!socket.resumes || socket.caughtUp) wrong('received caught-up, but is not in a replay')
      // The newest messages may have been erased.
      const erased = erasing.has(event.server) && frame.cursor > (socket.last ?? '')
      if (socket.last !== undefined && frame.cursor !== socket.last && !erased)
        wrong(`caught up at ${frame.cursor}, but the last message was ${socket.last}`)
      socket.caughtUp = true
    } else if (frame.event === 'stored') {
      if (!socket.sent.some((text) => text.includes(JSON.stringify(frame.idempotencyKey))))
        wrong('received stored for a key that it did not send')
    } else if (frame.event !== 'error') {
      // `pong` and `authenticated` are replies: each needs a frame of its own that asks for it.
      const asking = channel.messages.find((one) => one.replies.includes(frame.event))
      const asked = socket.sent.findIndex((text) => clientMessageOf(channel, jsonOf(text)) === asking)
      if (asking && asked < 0) wrong(`received ${frame.event}, but has not sent ${asking.name}`)
      if (asking && asked >= 0) socket.sent.splice(asked, 1)
    }
  }
  return findings
}

function jsonOf(text: string): Json {
  const value = parseJsonText(text)
  return value === MALFORMED ? null : value
}

/** The problems of a wrong password. */
const WRONG = ['invalid-credentials', 'wrong-password']

/** Checks the number of wrong passwords of a username before throttling, and the duration of the first wait. */
function checkLoginGuard(contract: Contract, traffic: TrafficEvent[]): string[] {
  const findings: string[] = []
  const failures = new Map<string, { count: number; at: number }>()
  const users = createTokenOwners(contract)
  for (const event of traffic) {
    users.observe(event)
    if (event.kind !== 'exchange') continue
    const target = targetOf(contract, event.request)
    const guard = isOperation(target) ? target.loginGuard : undefined
    const code = codeOf(event) ?? ''
    const wrong = WRONG.includes(code)
    if (!guard || (event.response.status !== 200 && !wrong && code !== 'login-throttled')) continue
    const token = tokenOfHandshake(contract.channel, event.request)
    const { username = '' } = parseJson(event.request.body ?? '') as { username?: string }
    const secured = isOperation(target) && target.scheme !== undefined && token !== undefined
    const user = secured ? users.ownerOf(event.server, token) : username.toLowerCase()
    const key = `${event.server} ${user}`
    const before = failures.get(key) ?? { count: 0, at: 0 }
    if (event.response.status === 200) failures.delete(key)
    if (wrong) failures.set(key, { count: before.count + 1, at: event.at })
    const free = guard['free-failures']
    if (code === 'login-throttled' && before.count < free)
      findings.push(`throttled after ${before.count} failures; expected after ${free}`)
    if (wrong && before.count === free && event.at - before.at < 900) {
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
