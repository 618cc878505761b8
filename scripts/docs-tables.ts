// Markdown tables derived from the documents.
import { asyncapi, openapi } from '../src/contract/full-documents.ts'

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ').trim()
const row = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`
export const table = (head: readonly string[], rows: readonly (readonly string[])[]) =>
  [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n')
const number = (value: unknown) => Number(value).toLocaleString('en-US')
export const code = (text: string) => `\`${text}\``

export const operations = Object.entries(openapi.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    route: `${method.toUpperCase()} ${path}`,
    operation,
  })),
)
const { chat } = asyncapi.channels
export const limits = [
  ...operations.map(({ route, operation }) => ({ route: code(route), limit: operation['x-rate-limit'] })),
  { route: 'a message on the WebSocket', limit: asyncapi.operations.sendMessage['x-rate-limit'] },
  { route: 'opening a WebSocket', limit: chat['x-rate-limit'] },
  { route: 'a ping on the WebSocket', limit: asyncapi.operations.ping['x-rate-limit'] },
  { route: 'a new token on the WebSocket', limit: asyncapi.operations.authenticate['x-rate-limit'] },
]
const problems = Object.entries(openapi['x-problems'])

export function rateLimits(): string {
  const policies = Map.groupBy(limits, ({ limit }) => limit.policy)
  return table(
    ['Policy', 'Requests', 'Quota', 'Window', 'Counted per'],
    [...policies].map(([policy, members]) => {
      const { quota, window, partition } = (members[0] as (typeof members)[number]).limit
      const counted = members.map(({ route }) => route).join(', ')
      return [code(policy), counted, number(quota), `${window} s`, partition === 'ip' ? 'address' : 'user']
    }),
  )
}

/** The rate-limit headers of the first counted response. */
export function rateLimitHeaders(): string {
  const { policy, quota, window } = asyncapi.operations.sendMessage['x-rate-limit']
  return [
    '```http',
    `RateLimit-Policy: "${policy}";q=${quota};w=${window}`,
    `RateLimit: "${policy}";r=${quota - 1};t=${window}`,
    '```',
  ].join('\n')
}

export function loginGuard(): string {
  const { post } = openapi.paths['/api/auth/login'] as Record<string, object>
  const guard = (post as { 'x-login-guard': Record<string, number> })['x-login-guard']
  const [free = 0, first = 0, longest = 0] = ['free-failures', 'first-wait', 'longest-wait'].map(
    (name) => guard[name],
  )
  const waits: string[][] = [[`up to ${free - 1}`, 'none']]
  let failures = free
  for (let wait = first; wait < longest; wait *= 2) waits.push([String(failures++), `${wait} s`])
  waits.push([`${failures} or more`, `${longest} s`])
  return `${table(['Failed attempts', 'Wait after the last attempt'], waits)}

Failed attempts are forgotten ${guard['forgotten-after']} seconds after the last one.`
}

export const catalogue = () =>
  table(
    ['Status', 'Code', 'When', 'What to do'],
    problems.map(([name, { status, when, action }]) => [String(status), code(name), when, action]),
  )

export function statuses(): string {
  const handshake = (chat as unknown as { 'x-handshake-responses': object })['x-handshake-responses']
  const responses = [
    ...operations.map(({ route, operation }) => ({
      route: code(route),
      codes: Object.keys(operation.responses),
    })),
    { route: 'WebSocket handshake', codes: ['101', ...Object.keys(handshake)] },
  ]
  const isSuccess = (status: string) => Number(status) < 400
  return table(
    ['Request', 'Success', 'Failures'],
    responses.map(({ route, codes }) => [
      route,
      codes.filter(isSuccess).join(', '),
      codes.filter((status) => !isSuccess(status)).join(', '),
    ]),
  )
}

export const closeCodes = () =>
  table(
    ['Code', 'Reason', 'When'],
    Object.values(chat['x-close-codes'] as unknown as Record<string, Record<'reason' | 'when', string>>).map(
      (each) => [String((each as { code?: unknown }).code), each.reason && code(each.reason), each.when],
    ),
  )

export function sizes(): string {
  const { schemas } = openapi.components
  const characters = (name: string) => {
    const { minLength, maxLength } = schemas[name] as { minLength: number; maxLength: number }
    return `${number(minLength)} to ${number(maxLength)} characters`
  }
  const page = openapi.paths['/api/chats/messages']?.get?.parameters?.find(({ name }) => name === 'limit')
  const { minimum, maximum, default: defaultLimit } = (page?.schema ?? {}) as Record<string, number>
  return table(
    ['Value', 'Limit'],
    [
      ['username', `${characters('Username')} of letters, digits, \`_\`, \`.\` and \`-\`, ASCII only`],
      ['password', characters('Password')],
      ['message', characters('MessageText')],
      ['idempotency key', `${characters('IdempotencyKey')}, visible ASCII`],
      ['messages in a page', `${minimum} to ${maximum}, by default ${defaultLimit}`],
      ['body of a request', `${number(openapi['x-limits']['request-body-bytes'])} bytes`],
      ['frame on the WebSocket', `${number(chat['x-max-frame-bytes'])} bytes`],
    ],
  )
}

export const readiness = () =>
  table(
    ['Code', 'Status', 'When'],
    Object.entries(openapi['x-readiness']).map(([name, { status, when }]) => [
      code(name),
      String(status),
      when,
    ]),
  )

export const servicePaths = () =>
  table(
    ['Path', 'Contents'],
    Object.entries(openapi['x-service-paths']).map(([path, text]) => [code(path), text]),
  )
