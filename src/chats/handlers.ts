import type { Handlers } from '../contract/handlers.ts'
import { gone, type MessageLog, parseFrame } from './message-log.ts'

/** The key in `Idempotency-Key`: the draft's quoted string (RFC 8941, section 3.3.3), or the bare key. */
const unquote = (header: string) =>
  header.startsWith('"') ? header.slice(1, -1).replace(/\\(["\\])/g, '$1') : header

export function chatHandlers({
  messageLog,
}: {
  messageLog: MessageLog
}): Pick<Handlers, 'sendMessage' | 'listMessages'> {
  return {
    async sendMessage({ user, body: { message }, headers, reply }) {
      const header = headers['Idempotency-Key']
      const idempotencyKey = header === undefined ? undefined : unquote(header)
      await messageLog.append({ user, message, idempotencyKey })
      return reply({})
    },

    async listMessages({ query: { after, before, limit }, reply, problem }) {
      if (after !== undefined && before !== undefined) {
        throw problem('validation-failed', {
          errors: [{ pointer: '/before', detail: 'cannot come together with after' }],
        })
      }
      const forward = after !== undefined
      const page = await (forward ? messageLog.readAfter(after, limit) : messageLog.readBefore(before, limit))
      if (page === gone) throw problem('cursor-gone')
      const edge = page.messages.at(forward ? -1 : 0)
      return reply({
        messages: page.messages.map(({ frame }) => parseFrame(frame)),
        next: page.more && edge ? edge.id : null,
      })
    },
  }
}
