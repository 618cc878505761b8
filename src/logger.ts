import pino, { type Logger } from 'pino'

export type { Logger }

/** Characters. One call of the sink costs more than appending a line to a string. */
const blockLength = 16 * 1024

/** The longest time that a line waits in its block. */
const flushMs = 100

export interface OpenLogger {
  readonly logger: Logger
  /** Writes all waiting lines. */
  flush(): Promise<void>
}

/**
 * Opens the log: one JSON line per event, written to standard output in blocks. It uses Bun's sink, because
 * pino's asynchronous destination keeps a core busy in Bun after it has been flushed while empty.
 */
export function openLogger(level: string): OpenLogger {
  const sink = Bun.stdout.writer()
  let block = ''

  async function flush(): Promise<void> {
    const text = block
    block = ''
    try {
      if (text !== '') sink.write(text)
      await sink.flush()
    } catch {
      // The reader of the log has gone away; the service continues without it.
    }
  }

  function write(line: string): void {
    block += line
    if (block.length >= blockLength) flush()
  }

  setInterval(flush, flushMs).unref()
  return { logger: pino({ level, base: null }, { write }), flush }
}
