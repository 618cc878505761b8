import { expect, setSystemTime, test } from 'bun:test'
import pino from 'pino'
import type { RequestContext } from '../../../src/http/request-context.ts'
import { createSuccessLine } from '../../../src/http/success-line.ts'

const constants = { method: 'GET', route: '/a "quoted" route', status: 200 }

/** The line of createSuccessLine, and the line that pino writes for the same fields. */
function bothLines(base: object | null, context: Partial<RequestContext>): [string, string] {
  const lines: string[] = []
  const logger = pino({ base: base as never }, { write: (line: string) => void lines.push(line) })
  const now = new Date()
  setSystemTime(now)
  createSuccessLine(logger, constants)({ startedAt: 1, ...context } as RequestContext, 1.23456)
  const { ms } = JSON.parse(lines[0] as string) as { ms: number }
  const { requestId, client, userId: user } = context
  logger.child(constants).info({ requestId, ms, client, user }, 'request')
  setSystemTime()
  return lines as [string, string]
}

const requestId = crypto.randomUUID()
const contexts: [string, Partial<RequestContext>][] = [
  ['a request without a user', { requestId }],
  ['a client and a user', { requestId, client: '2001:db8:0:1', userId: crypto.randomUUID() }],
  ['an id that has to be escaped', { requestId, client: '192.0.2.1', userId: 'an "id"\n' }],
]
for (const [name, context] of contexts) {
  test(`the line for ${name} is the one that pino writes`, () => {
    for (const base of [null, { service: 'parley' }]) {
      const [line, expected] = bothLines(base, context)
      expect(line).toBe(expected)
    }
  })
}
