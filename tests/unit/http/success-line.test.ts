import { expect, setSystemTime, test } from 'bun:test'
import type { RequestContext } from '../../../src/http/request-context.ts'
import { createSuccessLine } from '../../../src/http/success-line.ts'
import { createLogger } from '../../../src/logger.ts'

const constants = { method: 'GET', route: '/a "quoted" route', status: 200 }

/** The line of createSuccessLine, and the line that the logger writes for the same fields. */
function bothLines(context: Partial<RequestContext>): [string, string] {
  const lines: string[] = []
  const logger = createLogger({ level: 'info', write: (line) => void lines.push(line) })
  setSystemTime(new Date())
  createSuccessLine(logger, constants)({ startedAt: 1, ...context } as RequestContext, 1.23456)
  const { ms } = JSON.parse(lines[0] as string) as { ms: number }
  const { requestId, client, userId: user } = context
  logger.info({ ...constants, requestId, ms, client, user }, 'request')
  setSystemTime()
  return lines as [string, string]
}

const requestId = crypto.randomUUID()
const contexts: [string, Partial<RequestContext>][] = [
  ['a request without a user', { requestId }],
  ['a client and a user', { requestId, client: '2001:db8:0:1', userId: crypto.randomUUID() }],
  ...[...'"\\\n\u007f\u0000é\ud800😀 /~', ''].map((character): [string, Partial<RequestContext>] => [
    `an id with ${JSON.stringify(character)}`,
    { requestId, client: '192.0.2.1', userId: `an id${character}` },
  ]),
]
for (const [name, context] of contexts) {
  test(`the line for ${name} is the one that the logger writes`, () => {
    const [line, expected] = bothLines(context)
    expect(line).toBe(expected)
  })
}
