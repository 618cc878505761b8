import pino, { type Logger } from 'pino'

/** Characters. A call of the sink costs more than adding a line to a string. */
const blockLength = 16 * 1024

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
  const sink = Bun.stdout.writer()
  let block = ''

  async function flush(): Promise<void> {
    const text = block
    block = ''
    try {
      if (text !== '') sink.write(text)
      await sink.flush()
    } catch {
      // Where nobody reads the log any more, the service goes on without it.
    }
  }

  function write(line: string): void {
    block += line
    if (block.length >= blockLength) flush()
  }

  setInterval(flush, flushMs).unref()
  return { log: pino({ level, base: null }, { write }), flush }
}
