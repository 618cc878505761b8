import { createLogSink } from './log-sink.ts'

/** The numbers that pino and bunyan write for their levels. */
const levels = {
  trace: 10,
  debug: 20,
  info: 30,
  warn: 40,
  error: 50,
  fatal: 60,
  silent: Number.POSITIVE_INFINITY,
} as const

export type LogLevel = keyof typeof levels

export const logLevels = Object.keys(levels) as readonly LogLevel[]

interface LogMethod {
  (message: string): void
  (fields: object, message: string): void
}

/** Writes one JSON line per event, in pino's format: level, time in milliseconds, fields, message. */
export interface Logger {
  isLevelEnabled(level: LogLevel): boolean
  readonly info: LogMethod
  readonly warn: LogMethod
  readonly error: LogMethod
  readonly fatal: LogMethod
  /** Writes a complete line at any level. */
  writeLine(line: string): void
}

/** The fields of a line, each with a comma in front. A field that is undefined is left out. */
export function serializeFields(fields: object): string {
  let text = ''
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) text += `,${JSON.stringify(name)}:${JSON.stringify(value)}`
  }
  return text
}

/** The text before the fields. */
export const lineStart = (level: LogLevel): string => `{"level":${levels[level]},"time":${Date.now()}`

export function createLogger({
  level,
  write,
}: {
  readonly level: LogLevel
  /** Receives each line with its line break. */
  readonly write: (line: string) => void
}): Logger {
  const isLevelEnabled = (name: LogLevel) => levels[name] >= levels[level]
  function methodOf(name: LogLevel): LogMethod {
    if (!isLevelEnabled(name)) return () => {}
    return (first: object | string, message?: string) => {
      const [fields, text] = typeof first === 'string' ? ['', first] : [serializeFields(first), message]
      write(`${lineStart(name)}${fields},"msg":${JSON.stringify(text)}}\n`)
    }
  }
  return {
    isLevelEnabled,
    info: methodOf('info'),
    warn: methodOf('warn'),
    error: methodOf('error'),
    fatal: methodOf('fatal'),
    writeLine: write,
  }
}

export interface OpenLogger {
  readonly logger: Logger
  /** Waits until all lines are written, at most one second. It never rejects. */
  flush(): Promise<void>
}

/**
 * Opens the log: one JSON line per event, written to standard output. It uses Bun's sink, which never blocks
 * the thread, also if a pipe is full.
 */
export function openLogger(level: LogLevel): OpenLogger {
  const { write, flush } = createLogSink({
    open: () => Bun.stdout.writer(),
    // At every level, also if `level` excludes warnings.
    dropReport: (count) => `${lineStart('warn')}${serializeFields({ count })},"msg":"log lines dropped"}\n`,
  })
  return { logger: createLogger({ level, write }), flush }
}
