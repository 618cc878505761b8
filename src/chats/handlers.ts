import type { Handlers } from '../http/operation-routes.ts'
import { type MessageLog, parseFrame } from './message-log.ts'

/** The key of `Idempotency-Key`: the draft's quoted string (RFC 8941, section 3.3.3), or bare. */
const unquote = (header: string) =>
  header.startsWith('"') ? header.slice(1, -1).replace(/\\(["\\])/g, '$1') : header

export function chatHandlers({ log }: { log: MessageLog }): Pick<Handlers, 'sendMessage' | 'listMessages'> {
  return {
    async sendMessage({ user, body: { message }, headers, reply }) {
      const header = headers['Idempotency-Key']
      await log.append({ user, message, idempotencyKey: header === undefined ? undefined : unquote(header) })
      return reply({})
    },

    async listMessages({ query: { after, before, limit = 0 }, reply, problem }) {
      if (after !== undefined && before !== undefined) {
        throw problem('validation-failed', {
          errors: [{ pointer: '/before', detail: 'cannot come together with after' }],
        })
      }
      const forward = after !== undefined
      const page = await (forward ? log.readAfter(after, limit) : log.readBefore(before, limit))
      if (page === 'gone') throw problem('cursor-gone')
      const edge = page.messages.at(forward ? -1 : 0)
      return reply({
        messages: page.messages.map(({ frame }) => parseFrame(frame)),
        next: page.more && edge ? edge.id : null,
      })
    },
  }
}
