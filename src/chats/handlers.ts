import type { Handlers } from '../contract/handlers.ts'
import { allOperations } from '../contract/operations.ts'
import { gone, type MessageLog, type NewMessage, outcomeOf, parseFrame } from './message-log.ts'

/** The key in `Idempotency-Key`: the draft's quoted string (RFC 8941, section 3.3.3), or the bare key. */
const unquote = (header: string) =>
  header.startsWith('"') ? header.slice(1, -1).replace(/\\(["\\])/g, '$1') : header

const getMessagePath = allOperations.find(({ id }) => id === 'getMessage')?.path ?? ''
const [messagesPath = '', afterId = ''] = getMessagePath.split('{id}')
const messagePath = (id: string) => messagesPath + id + afterId

/** All success responses of a send have the same body. */
const sent = {}

export function chatHandlers({
  messageLog,
}: {
  messageLog: MessageLog
}): Pick<Handlers, 'sendMessage' | 'listMessages' | 'getMessage'> {
  return {
    sendMessage({ user, body: { message }, headers, replyCached }) {
      const header = headers['Idempotency-Key']
      const idempotencyKey = header === undefined ? undefined : unquote(header)
      const newMessage: NewMessage = { user, message, idempotencyKey, outcome: undefined }
      return messageLog
        .append(newMessage)
        .then(() => replyCached(sent, {}, { 'Content-Location': messagePath(outcomeOf(newMessage).id) }))
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
        head: messageLog.head(),
      })
    },

    async getMessage({ path: { id }, reply, problem }) {
      const stored = await messageLog.read(id)
      if (!stored) throw problem('not-found')
      return reply(parseFrame(stored.frame))
    },
  }
}
