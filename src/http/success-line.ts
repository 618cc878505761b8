import { type Logger, lineStart, serializeFields } from '../logger.ts'
import type { RequestContext } from './request-context.ts'

/** Milliseconds, as the log has them. @param now monotonic milliseconds */
export const elapsedMs = ({ startedAt }: RequestContext, now: number): number =>
  Math.round((now - startedAt) * 1000) / 1000

/** Matches each character that JSON may escape: quotes, backslashes, and everything except printable ASCII. */
const mayNeedEscaping = /[^ !#-[\]-~]/

/** Returns the same text as `JSON.stringify`, which takes a microsecond longer if nothing needs escaping. */
const quote = (text: string): string => (mayNeedEscaping.test(text) ? JSON.stringify(text) : `"${text}"`)

/**
 * Creates a function that writes the line of a successful request, at level info. It writes the same text as
 * `logger.info`, in less time: the constant fields are serialised once, and most others need no escaping.
 *
 * @param constants fields that all of these lines have
 * @returns receives the context of the request, and when it ended: monotonic milliseconds
 */
export function createSuccessLine(
  logger: Logger,
  constants: object,
): (context: RequestContext, now: number) => void {
  const serialised = serializeFields(constants)

  return (context, now) => {
    const { requestId, trace, client, userId } = context
    let line = `${lineStart('info')}${serialised},"requestId":"${requestId}","ms":${elapsedMs(context, now)}`
    // An address needs no escaping.
    if (client !== undefined) line += `,"client":"${client}"`
    if (userId !== undefined) line += `,"user":${quote(userId)}`
    // Only hexadecimal digits.
    if (trace) {
      line += `,"traceId":"${trace.traceId}","spanId":"${trace.spanId}","parentId":"${trace.parentId}"`
    }
    logger.writeLine(`${line},"msg":"request"}\n`)
  }
}
