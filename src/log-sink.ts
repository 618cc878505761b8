/** Characters. One write costs more than appending a line to a string. */
const blockLength = 16 * 1024

/** The longest time that a line waits in its block. */
const blockMs = 100

/** Characters that may wait while standard output does not accept them. Further lines are dropped. */
const maxWaiting = 1024 * 1024

/** The time between two attempts after a write has failed. */
const retryMs = 1000

/** The longest time that `flush` waits. */
const flushMs = 1000

export interface LogSink {
  /** Accepts one line, with its line break. It never blocks and never throws. */
  write(line: string): void
  /** Resolves once all waiting lines are written, but after one second at the latest. It never rejects. */
  flush(): Promise<void>
}

/** The part of Bun's sink that is used. A method whose data has to wait returns a promise. */
type Output = Pick<Bun.FileSink, 'write' | 'flush' | 'end'>

interface LogSinkOptions {
  /** Opens the output. Called again after a failure, because a sink that failed can lose later data. */
  readonly open: () => Output
  /** Returns the line that reports lines which were dropped. */
  readonly dropReport: (count: number) => string
}

function countLines(text: string): number {
  let count = 0
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++
  return count
}

/** Writes `text`. Returns undefined if that is done, or a promise if the output is not ready for it. */
function writeTo(output: Output, text: string): Promise<unknown> | undefined {
  const written = output.write(text)
  // If `flush` throws, no other code handles this promise.
  if (written instanceof Promise) written.catch(() => {})
  const flushed = output.flush()
  return written instanceof Promise || flushed instanceof Promise
    ? Promise.all([written, flushed])
    : undefined
}

/** Releases the descriptor of an output that failed. */
function discard(output: Output): void {
  try {
    Promise.resolve(output.end()).catch(() => {})
  } catch {
    // It is closed already.
  }
}

/**
 * Creates the sink of the log. It writes lines in blocks, one write at a time. Nothing that happens to the
 * output affects the caller: if it is slow, full or closed, a bounded number of lines waits, and the others
 * are dropped and counted.
 */
export function createLogSink({ open, dropReport }: LogSinkOptions): LogSink {
  let output: Output | undefined
  let waiting = ''
  /** Lines that were dropped and not reported yet. */
  let dropped = 0
  let writing = false
  /** Whether the last write failed. */
  let failed = false
  /** Runs from a failure to the next attempt. */
  let retry: ReturnType<typeof setTimeout> | undefined
  let flushes: (() => void)[] = []

  function endFlushes(): void {
    const ended = flushes
    flushes = []
    for (const end of ended) end()
  }

  function succeed(): void {
    writing = false
    failed = false
    if (waiting === '' && dropped === 0) endFlushes()
    else if (flushes.length > 0 || waiting.length >= blockLength) writeBlock()
  }

  function fail(lost: number): void {
    writing = false
    failed = true
    dropped += lost
    if (output) discard(output)
    output = undefined
    retry = setTimeout(writeBlock, retryMs)
    retry.unref()
    endFlushes()
  }

  function writeBlock(): void {
    clearTimeout(retry)
    retry = undefined
    // After a failure only the report is written, because this attempt can fail as well.
    const block = failed ? '' : waiting
    if (!failed) waiting = ''
    const reported = dropped
    dropped = 0
    const report = reported > 0 ? dropReport(reported) : ''
    // The write that failed may have ended within a line.
    const text = failed ? `\n${report}` : block + report
    const lost = () => reported + countLines(block)
    writing = true
    try {
      output ??= open()
      const pending = writeTo(output, text)
      if (pending) pending.then(succeed, () => fail(lost()))
      else succeed()
    } catch {
      fail(lost())
    }
  }

  function writeWaiting(): void {
    if (!writing && retry === undefined && (waiting !== '' || dropped > 0)) writeBlock()
  }

  setInterval(writeWaiting, blockMs).unref()
  return {
    write(line) {
      if (waiting.length + line.length > maxWaiting) {
        dropped++
        return
      }
      waiting += line
      if (waiting.length >= blockLength) writeWaiting()
    },
    async flush() {
      if (!writing && waiting === '' && dropped === 0) return
      const { promise, resolve } = Promise.withResolvers<void>()
      flushes.push(resolve)
      const limit = setTimeout(resolve, flushMs)
      if (!writing) writeBlock()
      await promise
      clearTimeout(limit)
    },
  }
}
