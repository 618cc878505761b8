import pino, { type Logger } from 'pino'

const blockBytes = 16 * 1024

/** No line waits longer than this for the block that it is written in. */
const flushMs = 100

export interface OpenLog {
  readonly log: Logger
  /** Writes what is waiting. */
  flush(): Promise<void>
}

/**
 * The log: a JSON line an event, to standard output, in blocks. Bun's own sink is used, since pino's
 * asynchronous destination keeps a core of Bun busy once it has been flushed while empty.
 */
export function openLog(level: string): OpenLog {
  const sink = Bun.stdout.writer({ highWaterMark: blockBytes })
  // Where nobody reads the log any more, the service goes on without it.
  const flush = async () => {
    try {
      await sink.flush()
    } catch {}
  }
  setInterval(flush, flushMs).unref()
  const log = pino({ level, base: null }, { write: (line: string) => sink.write(line) })
  return { log, flush }
}
