import pino, { type Logger } from 'pino'
import type { RequestContext } from './request-context.ts'

/** The parts of a logger that pino exposes, through its symbols, for integrations that have to be fast. */
function internalsOf(logger: Logger) {
  const values = logger as unknown as Record<symbol, unknown>
  return {
    /** The serialised constant fields, each with a comma in front. */
    constants: values[pino.symbols.chindingsSym] as string,
    stream: values[pino.symbols.streamSym] as { write(line: string): void },
  }
}

/** Milliseconds, as the log has them. @param now monotonic milliseconds */
export const elapsedMs = ({ startedAt }: RequestContext, now: number): number =>
  Math.round((now - startedAt) * 1000) / 1000

/**
 * Creates a function that writes the line of a successful request, at level info. It writes the same text as
 * `logger.info`, which takes four times as long; this pays for reading the client's address
 * (tests/unit/http/success-line.test.ts compares both).
 *
 * @param constants fields that all of these lines have
 * @returns receives the context of the request, and when it ended: monotonic milliseconds
 */
export function createSuccessLine(
  logger: Logger,
  constants: object,
): (context: RequestContext, now: number) => void {
  const { constants: serialised, stream } = internalsOf(logger.child(constants))
  const level = logger.levels.values.info

  return (context, now) => {
    const { requestId, trace, client, userId } = context
    let line = `{"level":${level},"time":${Date.now()}${serialised},"requestId":"${requestId}","ms":${elapsedMs(context, now)}`
    // An address needs no escaping.
    if (client !== undefined) line += `,"client":"${client}"`
    if (userId !== undefined) line += `,"user":${JSON.stringify(userId)}`
    // Only hexadecimal digits.
    if (trace) {
      line += `,"traceId":"${trace.traceId}","spanId":"${trace.spanId}","parentId":"${trace.parentId}"`
    }
    stream.write(`${line},"msg":"request"}\n`)
  }
}
