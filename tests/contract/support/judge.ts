import type { Answer, Channel, Contract, Message, Operation, Schema } from './contract.ts'
import type { Json } from './documents.ts'
import {
  MALFORMED,
  parseJson,
  parseJsonText,
  type Refusals,
  refusalsOfFrame,
  refusalsOfHandshake,
  refusalsOfRequest,
} from './promises.ts'
import { faultsOf } from './schemas.ts'
import type { Closed, Exchange, Opened, SentRequest, ServerStarted, Turn } from './traffic.ts'

/** What HTTP itself, or the browser's rules, put on an answer; no document has to name these. */
const TRANSPORT =
  /^(date|connection|keep-alive|content-type|content-length|transfer-encoding|vary|access-control-.*)$/

/** Problems that come before the request itself is looked at, wherever the server is in such a state. */
const BEFORE_THE_REQUEST = ['invalid-token', 'origin-not-allowed']

type Problem = { [name: string]: Json }

/** The operation that a request reaches, or what the documents answer to one that reaches none. */
export function targetOf(
  contract: Contract,
  request: { method: string; path: string },
): Operation | Record<string, Answer> {
  const atPath = contract.operations.filter((one) => one.path === request.path)
  const operation = atPath.find((one) => one.method === request.method)
  if (operation) return operation
  if (atPath.length === 0) return contract.unmatched
  return Object.fromEntries(
    atPath.flatMap((one) => Object.entries(one.answers)).filter(([status]) => status === '405'),
  )
}

/** Every way in which an answer is not what the documents promise. */
export function judgeExchange(contract: Contract, exchange: Exchange, server: ServerStarted): string[] {
  if (exchange.kind === 'handshake') {
    const { channel } = contract
    if (exchange.request.path !== channel.address) return [`no channel is at ${exchange.request.path}`]
    if (exchange.request.method !== channel.method) return [`a handshake is a ${channel.method}`]
    const refusals = refusalsOfHandshake(channel, exchange.request)
    return [
      ...judgeAnswer(contract, channel.refusals, exchange),
      ...judgeOutcome(refusals, exchange),
      ...judgeOffered(channel, exchange.request),
      ...judgeLimit(channel.rateLimit, exchange, server),
    ]
  }
  if (contract.servicePaths.some((path) => matchesPath(path, exchange.request)))
    return judgeServicePath(exchange)
  const target = targetOf(contract, exchange.request)
  if (!isOperation(target))
    return [...judgeAnswer(contract, target, exchange), ...judgeAllow(contract, exchange)]
  const refusals = refusalsOfRequest(contract, target, exchange.request)
  return [
    ...judgeAnswer(contract, target.answers, exchange),
    ...judgeOutcome(refusals, exchange),
    ...judgeLimit(target.rateLimit, exchange, server),
  ]
}

export function isOperation(target: Operation | Record<string, Answer>): target is Operation {
  return typeof target.id === 'string'
}

function matchesPath(template: string, request: { method: string; path: string }): boolean {
  const pattern = template.replaceAll('.', '\\.').replaceAll(/\{[^}]+\}/g, '[^/]+')
  return request.method === 'GET' && new RegExp(`^${pattern}$`).test(request.path)
}

function judgeServicePath({ request, response }: Exchange): string[] {
  return response.status === 200 ? [] : [`${request.path} answered ${response.status}`]
}

/** Status, media type, headers and body, each by its schema. */
function judgeAnswer(contract: Contract, answers: Record<string, Answer>, { response }: Exchange): string[] {
  const answer = answers[response.status]
  if (!answer) return [`status ${response.status} is not documented here`]
  const type = response.headers['content-type']?.split(';')[0] ?? ''
  const content = answer.content[type]
  if (!content) return [`media type ${type || '(none)'} is not documented for ${response.status}`]
  const body = parseJson(response.body)
  if (body === MALFORMED) return ['the body is not JSON']

  const findings = faultsOf(content.schema, body).map((fault) => `body: ${fault.text}`)
  const documented = Object.entries(answer.headers ?? {})
  for (const [name, header] of documented) {
    const value = response.headers[name.toLowerCase()]
    if (value === undefined) {
      if (header.required) findings.push(`header ${name} is missing`)
      continue
    }
    findings.push(...faultsOf(header.schema, value).map((fault) => `header ${name}: ${fault.text}`))
  }
  for (const name of Object.keys(response.headers)) {
    const known = documented.some(([one]) => one.toLowerCase() === name)
    if (!known && !TRANSPORT.test(name))
      findings.push(`header ${name} is not documented for ${response.status}`)
  }
  if (response.status < 400) return findings

  const problem = body as Problem
  const codes = Object.values(content.examples ?? {}).map((example) => (example.value as Problem).code)
  if (!codes.includes(problem.code as Json)) {
    findings.push(`no example of ${response.status} here has the code ${problem.code}`)
  }
  if (problem.status !== response.status)
    findings.push(`the body says ${problem.status}, the answer ${response.status}`)
  if (problem.requestId !== response.headers['x-request-id'])
    findings.push('requestId and X-Request-Id differ')
  return [...findings, ...judgeProblem(contract, problem)]
}

/** A problem has to say what the catalogue says for its code. */
export function judgeProblem(contract: Contract, problem: Problem): string[] {
  const entry = contract.problems[String(problem.code)]
  if (!entry) return [`x-problems has no ${problem.code}`]
  const findings: string[] = []
  if (problem.type !== `/problems/${problem.code}`) findings.push(`type is ${problem.type}`)
  for (const name of ['status', 'title', 'detail'] as const) {
    if (problem[name] !== entry[name])
      findings.push(`${name} is ${problem[name]}, x-problems has ${entry[name]}`)
  }
  return findings
}

/** Whether a request got what it earned: a refusal with all its pointers, what its scenario expects, or success. */
function judgeOutcome(refusals: Refusals, exchange: Exchange): string[] {
  const { request, response, expect } = exchange
  const problem = response.status >= 400 ? (parseJson(response.body) as Problem) : undefined
  const findings = judgeCode(refusals, problem, expect, `${request.method} ${request.path}`)
  const challenge = response.headers['www-authenticate']
  const expected = problem?.code === 'invalid-token' ? 'Bearer error="invalid_token"' : 'Bearer'
  if (response.status === 401 && challenge !== expected) findings.push(`WWW-Authenticate is ${challenge}`)
  return findings
}

function judgeCode(
  refusals: Refusals,
  problem: Problem | undefined,
  expect: string | undefined,
  what: string,
): string[] {
  const code = problem?.code as string | undefined
  if (expect !== undefined && comesBefore(expect, problem) && code === expect) return []
  if (refusals.size === 0) {
    if (code === expect) return []
    return [`${what} answered ${code ?? 'success'}; the documents promise ${expect ?? 'success'}`]
  }
  if (code === undefined || !refusals.has(code)) {
    return [
      `${what} answered ${code ?? 'success'}; the documents promise ${[...refusals.keys()].join(' or ')}`,
    ]
  }
  const promised = new Set(refusals.get(code)?.map((fault) => fault.pointer))
  const named = new Set(((problem?.errors ?? []) as { pointer: string }[]).map((error) => error.pointer))
  if (promised.symmetricDifference(named).size === 0) return []
  return [`the errors point at ${list(named)}; the documents' schemas at ${list(promised)}`]
}

function comesBefore(code: string, problem: Problem | undefined): boolean {
  const status = Number(problem?.status)
  return BEFORE_THE_REQUEST.includes(code) || status === 429 || status >= 500
}

function list(pointers: Set<string>): string {
  return [...pointers].map((pointer) => pointer || '(the whole)').join(', ') || 'nothing'
}

function judgeAllow(contract: Contract, { request, response }: Exchange): string[] {
  if (response.status !== 405) return []
  const documented = contract.operations.filter((one) => one.path === request.path).map((one) => one.method)
  // What answers GET answers HEAD (RFC 9110, section 9.3.2), and the documents need not say it.
  if (documented.includes('GET')) documented.push('HEAD')
  const allowed = (response.headers.allow ?? '').split(', ')
  const wrong = new Set(documented).symmetricDifference(new Set(allowed))
  return wrong.size === 0
    ? []
    : [`Allow is ${response.headers.allow}; the documents have ${documented.join(', ')}`]
}

function judgeLimit(limit: Operation['rateLimit'], { response }: Exchange, server: ServerStarted): string[] {
  const policy = response.headers['ratelimit-policy']
  const remaining = response.headers.ratelimit
  if (policy === undefined || remaining === undefined) return []
  const findings: string[] = []
  if (!policy.startsWith(`"${limit.policy}";`))
    findings.push(`the policy is ${policy}, not "${limit.policy}"`)
  if (!remaining.startsWith(`"${limit.policy}";`))
    findings.push(`RateLimit is ${remaining}, not of "${limit.policy}"`)
  const documented = `"${limit.policy}";q=${limit.quota};w=${limit.window}`
  if (server.limits === 'documented' && policy !== documented)
    findings.push(`the policy is ${policy}, not ${documented}`)
  return findings
}

/** Each header that a handshake brings is one that the binding documents. */
function judgeOffered(channel: Channel, request: SentRequest): string[] {
  const findings = faultsOf(channel.headers, {}).map((fault) => `handshake headers: ${fault.text}`)
  for (const [name, value] of Object.entries(request.headers)) {
    const known = Object.entries(channel.headers.properties ?? {}).find(([one]) => one.toLowerCase() === name)
    if (!known) findings.push(`handshake header ${name} is not documented`)
    // An unsupported version is sent on purpose, and has a problem of its own.
    else if (name !== 'api-version')
      findings.push(...faultsOf(known[1], value).map((fault) => `header ${name}: ${fault.text}`))
  }
  return findings
}

export function judgeOpened(contract: Contract, { request, subprotocol }: Opened): string[] {
  const { channel } = contract
  const findings = [...refusalsOfHandshake(channel, request).keys()].map(
    (code) => `upgraded; the documents promise ${code}`,
  )
  findings.push(...judgeOffered(channel, request))
  if (request.path !== channel.address) findings.push(`no channel is at ${request.path}`)
  if (request.method !== channel.method) findings.push(`a handshake is a ${channel.method}`)
  const offered = request.headers['sec-websocket-protocol'] !== undefined
  const promised = offered ? channel.subprotocol : ''
  if (subprotocol !== promised) findings.push(`the subprotocol is ${subprotocol}, not ${promised}`)
  return findings
}

/** The message that a frame of the server is, by its event. */
export function messageOf(contract: Contract, frame: Json): Message | undefined {
  const event = (frame as Problem | null)?.event
  return contract.channel.messages.find(
    (one) => one.from === 'server' && one.schema.properties?.event?.const === event,
  )
}

export function judgeReceived(contract: Contract, text: string): string[] {
  const frame = parseJsonText(text)
  if (frame === MALFORMED) return ['the frame is not JSON']
  const message = messageOf(contract, frame)
  if (!message) return [`no message of the server has the event of ${text.slice(0, 80)}`]
  const findings = faultsOf(message.schema, frame).map((fault) => `frame ${message.name}: ${fault.text}`)
  const problem = (frame as Problem).problem as Problem | undefined
  if (!problem) return findings
  const codes = message.examples.map(
    (example) => ((example.payload as Problem).problem as Problem | undefined)?.code,
  )
  if (!codes.includes(problem.code as Json))
    findings.push(`no example of ${message.name} has the code ${problem.code}`)
  return [...findings, ...judgeProblem(contract, problem)]
}

/** Whether a frame got what it earned: the same question as for a request. */
export function judgeTurn(contract: Contract, turn: Turn): string[] {
  const answer = parseJsonText(turn.answer) as Problem
  const refusals = refusalsOfFrame(contract.channel, turn.sent)
  const problem = answer.problem as Problem | undefined
  const findings = judgeCode(refusals, problem, turn.expect, 'the frame')
  const sent = parseJsonText(turn.sent)
  const key =
    typeof sent === 'object' && sent !== null && !Array.isArray(sent)
      ? (sent as Problem).idempotencyKey
      : undefined
  const schema = keySchema(contract)
  const echoed = key !== undefined && schema && faultsOf(schema, key).length === 0 ? key : undefined
  if (answer.idempotencyKey !== echoed)
    findings.push(`idempotencyKey is ${answer.idempotencyKey}, not ${echoed}`)
  if (!problem && answer.message !== (sent as Problem).message) findings.push('another text was broadcast')
  return findings
}

function keySchema(contract: Contract): Schema | undefined {
  const own = contract.channel.messages.filter((one) => one.from === 'client')
  return own.map((one) => one.schema.properties?.idempotencyKey).find((one) => one !== undefined)
}

export function judgeClosed(contract: Contract, closed: Closed): string[] {
  const promised = contract.channel.closeCodes[closed.cause]
  if (!promised) return [`x-close-codes has no ${closed.cause}`]
  if (promised.code === closed.code && promised.reason === closed.reason) return []
  return [
    `closed with ${closed.code} ${closed.reason}; ${closed.cause} is ${promised.code} ${promised.reason}`,
  ]
}
