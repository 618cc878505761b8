import pino, { type Logger } from 'pino'
import { createLogSink } from './log-sink.ts'

export type { Logger }

export interface OpenLogger {
  readonly logger: Logger
  /** Waits until all lines are written, at most one second. It never rejects. */
  flush(): Promise<void>
}

/**
 * Opens the log: one JSON line per event, written to standard output. It uses Bun's sink, which never blocks
 * the thread, also if a pipe is full. pino's asynchronous destination keeps a core busy in Bun after it has
 * been flushed while empty.
 */
export function openLogger(level: string): OpenLogger {
  let report = ''
  // A logger of its own, because `level` can exclude warnings.
  const reporter = pino(
    { level: 'warn', base: null },
    {
      write(line: string) {
        report = line
      },
    },
  )
  const { write, flush } = createLogSink({
    open: () => Bun.stdout.writer(),
    dropReport(count) {
      reporter.warn({ count }, 'log lines dropped')
      return report
    },
  })
  return { logger: pino({ level, base: null }, { write }), flush }
}
