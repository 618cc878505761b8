import {
  type Channel,
  type Contract,
  matchesTemplate,
  type Operation,
  type ResponseObject,
} from './contract.ts'
import type { Json } from './documents.ts'
import {
  type ExpectedProblems,
  expectedProblemsOfHandshake,
  expectedProblemsOfRequest,
  MALFORMED,
  parseJson,
} from './expected-outcomes.ts'
import { violationsOf } from './schemas.ts'
import type { Exchange, SentRequest, ServerStarted } from './traffic.ts'

/** Headers defined by HTTP or by CORS. The documents do not have to declare them. */
const TRANSPORT =
  /^(date|connection|keep-alive|content-type|content-length|transfer-encoding|vary|access-control-.*)$/

/** Problems that the service reports before it validates the request. */
const BEFORE_THE_REQUEST = ['invalid-token', 'origin-not-allowed']

export type Problem = { [name: string]: Json }

/** The operation that a request matches, or the documented responses to an unmatched request. */
export function targetOf(
  contract: Contract,
  request: { method: string; path: string },
): Operation | Record<string, ResponseObject> {
  const atPath = contract.operations.filter((one) => matchesTemplate(one.path, request.path))
  const operation = atPath.find((one) => one.method === request.method)
  if (operation) return operation
  if (atPath.length === 0) return contract.unmatched
  return Object.fromEntries(
    atPath.flatMap((one) => Object.entries(one.responses)).filter(([status]) => status === '405'),
  )
}

/** Every difference between a response and the documents. */
export function checkExchange(contract: Contract, exchange: Exchange, server: ServerStarted): string[] {
  if (exchange.kind === 'handshake') {
    const { channel } = contract
    if (exchange.request.path !== channel.address) return [`there is no channel at ${exchange.request.path}`]
    if (exchange.request.method !== channel.method) return [`the method of a handshake is ${channel.method}`]
    const expected = expectedProblemsOfHandshake(channel, exchange.request)
    return [
      ...checkResponse(contract, channel.handshakeResponses, exchange),
      ...checkOutcome(expected, exchange),
      ...checkHandshakeHeaders(channel, exchange.request),
      ...checkRateLimit(channel.rateLimit, exchange, server),
    ]
  }
  const { method, path } = exchange.request
  if (method === 'GET' && contract.servicePaths.some((one) => matchesTemplate(one, path)))
    return checkServicePath(exchange)
  const target = targetOf(contract, exchange.request)
  if (!isOperation(target))
    return [...checkResponse(contract, target, exchange), ...checkAllow(contract, exchange)]
  const expected = expectedProblemsOfRequest(contract, target, exchange.request)
  return [
    ...checkResponse(contract, target.responses, exchange),
    ...checkOutcome(expected, exchange),
    ...checkRateLimit(target.rateLimit, exchange, server),
  ]
}

export function isOperation(target: Operation | Record<string, ResponseObject>): target is Operation {
  return typeof target.id === 'string'
}

function checkServicePath({ request, response }: Exchange): string[] {
  return response.status === 200 ? [] : [`${request.path} returned ${response.status}`]
}

/** Checks the status, the media type, and the headers and body against their schemas. */
function checkResponse(
  contract: Contract,
  responses: Record<string, ResponseObject>,
  { request, response }: Exchange,
): string[] {
  const documented = responses[response.status]
  if (!documented) return [`status ${response.status} is not documented here`]
  const type = response.headers['content-type']?.split(';')[0] ?? ''
  const content = documented.content[type]
  if (!content) return [`media type ${type || '(none)'} is not documented for ${response.status}`]
  const body = parseJson(response.body)
  if (body === MALFORMED) return ['the body is not JSON']

  const findings = violationsOf(content.schema, body).map((violation) => `body: ${violation.text}`)
  const headers = Object.entries(documented.headers ?? {})
  for (const [name, header] of headers) {
    const value = response.headers[name.toLowerCase()]
    if (value === undefined) {
      if (header.required) findings.push(`header ${name} is missing`)
      continue
    }
    findings.push(
      ...violationsOf(header.schema, value).map((violation) => `header ${name}: ${violation.text}`),
    )
  }
  for (const name of Object.keys(response.headers)) {
    const known = headers.some(([one]) => one.toLowerCase() === name)
    if (!known && !TRANSPORT.test(name))
      findings.push(`header ${name} is not documented for ${response.status}`)
  }
  const trace = traceOf(request.headers.traceparent)
  if (traceOf(response.headers.traceresponse) !== trace)
    findings.push(
      `traceresponse is ${response.headers.traceresponse}; expected the trace ${trace ?? '(none)'}`,
    )
  const location = response.headers['content-location']
  if (
    location !== undefined &&
    !contract.operations.some((one) => one.method === 'GET' && matchesTemplate(one.path, location))
  )
    findings.push(`no operation reads ${location}, the Content-Location`)
  if (response.status < 400) return findings

  const problem = body as Problem
  const codes = Object.values(content.examples ?? {}).map((example) => (example.value as Problem).code)
  if (!codes.includes(problem.code as Json)) {
    findings.push(`no documented example of ${response.status} has the code ${problem.code}`)
  }
  if (problem.status !== response.status)
    findings.push(`the status in the body is ${problem.status}, the status code ${response.status}`)
  if (problem.requestId !== response.headers['x-request-id'])
    findings.push('requestId and X-Request-Id differ')
  return [...findings, ...checkProblem(contract, problem)]
}

/** The trace in a valid `traceparent` or `traceresponse` of version 00. */
const traceOf = (header = ''): string | undefined =>
  /^00-(?!0{32})([\da-f]{32})-(?!0{16})[\da-f]{16}-[\da-f]{2}$/.exec(header)?.[1]

/** A problem has to match the catalogue entry for its code. */
export function checkProblem(contract: Contract, problem: Problem): string[] {
  const entry = contract.problems[String(problem.code)]
  if (!entry) return [`x-problems has no entry for ${problem.code}`]
  const findings: string[] = []
  if (problem.type !== `/problems/${problem.code}`) findings.push(`type is ${problem.type}`)
  for (const name of ['status', 'title', 'detail'] as const) {
    if (problem[name] !== entry[name])
      findings.push(`${name} is ${problem[name]}; x-problems has ${entry[name]}`)
  }
  return findings
}

/** Checks for the expected outcome: a problem with all its pointers, the problem that the test expects, or success. */
function checkOutcome(expected: ExpectedProblems, exchange: Exchange): string[] {
  const { request, response, expect } = exchange
  const problem = response.status >= 400 ? (parseJson(response.body) as Problem) : undefined
  const findings = checkCode(expected, problem, expect, `${request.method} ${request.path}`)
  const challenge = response.headers['www-authenticate']
  const expectedChallenge = problem?.code === 'invalid-token' ? 'Bearer error="invalid_token"' : 'Bearer'
  if (response.status === 401 && challenge !== expectedChallenge)
    findings.push(`WWW-Authenticate is ${challenge}`)
  return findings
}

export function checkCode(
  expected: ExpectedProblems,
  problem: Problem | undefined,
  expect: string | undefined,
  what: string,
): string[] {
  const code = problem?.code as string | undefined
  if (expect !== undefined && comesBefore(expect, problem) && code === expect) return []
  if (expected.size === 0) {
    if (code === expect) return []
    return [`${what} returned ${code ?? 'success'}; expected ${expect ?? 'success'}`]
  }
  if (code === undefined || !expected.has(code)) {
    return [`${what} returned ${code ?? 'success'}; expected ${[...expected.keys()].join(' or ')}`]
  }
  const expectedPointers = new Set(expected.get(code)?.map((violation) => violation.pointer))
  const pointers = new Set(((problem?.errors ?? []) as { pointer: string }[]).map((error) => error.pointer))
  if (expectedPointers.symmetricDifference(pointers).size === 0) return []
  return [`the errors have the pointers ${list(pointers)}; expected ${list(expectedPointers)}`]
}

export function comesBefore(code: string, problem: Problem | undefined): boolean {
  const status = Number(problem?.status)
  return BEFORE_THE_REQUEST.includes(code) || status === 429 || status >= 500
}

function list(pointers: Set<string>): string {
  return [...pointers].map((pointer) => pointer || '(root)').join(', ') || '(none)'
}

function checkAllow(contract: Contract, { request, response }: Exchange): string[] {
  if (response.status !== 405) return []
  const documented = contract.operations
    .filter((one) => matchesTemplate(one.path, request.path))
    .map((one) => one.method)
  // A path that supports GET also supports HEAD (RFC 9110, section 9.3.2); the documents do not list it.
  if (documented.includes('GET')) documented.push('HEAD')
  const allowed = (response.headers.allow ?? '').split(', ')
  const wrong = new Set(documented).symmetricDifference(new Set(allowed))
  return wrong.size === 0 ? [] : [`Allow is ${response.headers.allow}; expected ${documented.join(', ')}`]
}

function checkRateLimit(
  limit: Operation['rateLimit'],
  { response }: Exchange,
  server: ServerStarted,
): string[] {
  const policy = response.headers['ratelimit-policy']
  const remaining = response.headers.ratelimit
  if (policy === undefined || remaining === undefined) return []
  const findings: string[] = []
  if (!policy.startsWith(`"${limit.policy}";`))
    findings.push(`RateLimit-Policy is ${policy}; expected "${limit.policy}"`)
  if (!remaining.startsWith(`"${limit.policy}";`))
    findings.push(`RateLimit is ${remaining}; expected the policy "${limit.policy}"`)
  const documented = `"${limit.policy}";q=${limit.quota};w=${limit.window}`
  if (server.limits === 'documented' && policy !== documented)
    findings.push(`RateLimit-Policy is ${policy}; expected ${documented}`)
  return findings
}

/** Every request header of a handshake has to be declared in the channel's binding. */
export function checkHandshakeHeaders(channel: Channel, request: SentRequest): string[] {
  const findings = violationsOf(channel.headers, {}).map(
    (violation) => `handshake headers: ${violation.text}`,
  )
  for (const [name, value] of Object.entries(request.headers)) {
    const known = Object.entries(channel.headers.properties ?? {}).find(([one]) => one.toLowerCase() === name)
    if (!known) findings.push(`handshake header ${name} is not documented`)
    // Some tests send an unsupported version, which has its own problem type.
    else if (name !== 'api-version')
      findings.push(...violationsOf(known[1], value).map((violation) => `header ${name}: ${violation.text}`))
  }
  return findings
}

/** The problem codes of the examples of a response. */
export function codesOf(response: ResponseObject | undefined): Json[] {
  return Object.values(response?.content ?? {}).flatMap(({ examples }) =>
    Object.values(examples ?? {}).flatMap(({ value }) => (value as Problem).code ?? []),
  )
}
