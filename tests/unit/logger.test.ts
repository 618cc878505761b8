import { describe, expect, setSystemTime, test } from 'bun:test'
import pino from 'pino'
import { createLogger, type Logger, type LogLevel, logLevels } from '../../src/logger.ts'

const methods = ['info', 'warn', 'error', 'fatal'] as const

/** The lines of the logger and those of pino for the same calls. */
function bothLogs(level: LogLevel, log: (logger: Pick<Logger, (typeof methods)[number]>) => void) {
  const ours: string[] = []
  const theirs: string[] = []
  setSystemTime(new Date())
  log(createLogger({ level, write: (line) => void ours.push(line) }))
  log(pino({ level, base: null }, { write: (line: string) => void theirs.push(line) }))
  setSystemTime()
  return { ours, theirs }
}

describe('the lines are those of pino, whose format log collectors know,', () => {
  const fields: Record<string, object> = {
    'texts that have to be escaped': { text: '"\\\n\u0000\u2028', 'a "name"': 1 },
    'lone surrogates': { text: 'a\ud800b' },
    'every type of JSON': { number: 1.5, yes: true, nothing: null, list: [1, 'a'], object: { a: { b: 1 } } },
    'fields that are undefined': { code: undefined, object: { code: undefined } },
    'no fields': {},
  }
  for (const [name, value] of Object.entries(fields)) {
    test(`with ${name}`, () => {
      const { ours, theirs } = bothLogs('info', (logger) => logger.warn(value, 'a "message"'))
      expect(ours).toHaveLength(1)
      expect(ours).toEqual(theirs)
    })
  }

  test('with a message alone', () => {
    const { ours, theirs } = bothLogs('info', (logger) => logger.fatal('a "message"\n'))
    expect(ours).toHaveLength(1)
    expect(ours).toEqual(theirs)
  })

  for (const level of logLevels) {
    test(`at level ${level}`, () => {
      const { ours, theirs } = bothLogs(level, (logger) => {
        for (const method of methods) logger[method]({ method }, 'message')
      })
      expect(ours).toEqual(theirs)
    })
  }
})

test('a level is enabled if its lines are written', () => {
  for (const level of logLevels) {
    const { ours } = bothLogs(level, (logger) => {
      for (const method of methods) logger[method]('message')
    })
    const logger = createLogger({ level, write() {} })
    expect(methods.filter((method) => logger.isLevelEnabled(method))).toHaveLength(ours.length)
  }
})
