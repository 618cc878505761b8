import type { Handlers } from '../contract/handlers.ts'
import { allOperations } from '../contract/operations.ts'
import { readIdempotencyKey } from '../http/idempotency-key.ts'
import { gone, type MessageLog, type NewMessage, outcomeOf, parseFrame } from './message-log.ts'

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
    sendMessage({ user, body: { message, room }, headers, replyCached }) {
      const idempotencyKey = readIdempotencyKey(headers['Idempotency-Key'])
      const newMessage: NewMessage = { user, message, idempotencyKey, room, outcome: undefined }
      return messageLog
        .append(newMessage)
        .then(() => replyCached(sent, {}, { 'Content-Location': messagePath(outcomeOf(newMessage).id) }))
    },

    async listMessages({ user, query: { room, after, before, limit }, reply, problem }) {
      if (after !== undefined && before !== undefined) {
        throw problem('validation-failed', {
          errors: [{ pointer: '/before', detail: 'cannot come together with after' }],
        })
      }
      const forward = after !== undefined
      const page =
        room === undefined
          ? await (forward ? messageLog.readAfter(after, limit) : messageLog.readBefore(before, limit))
          : await messageLog.readHistory(room, user.id, { after, before, limit })
      if (page === undefined) throw problem('not-found')
      if (page === gone) throw problem('cursor-gone')
      const edge = page.messages.at(forward ? -1 : 0)
      return reply({
        messages: page.messages.map(({ frame }) => parseFrame(frame)),
        next: page.more && edge ? edge.id : null,
        head: messageLog.head(),
      })
    },

    async getMessage({ user, path: { id }, reply, problem }) {
      const stored = await messageLog.read(id, user.id)
      if (!stored) throw problem('not-found')
      return reply(parseFrame(stored.frame))
    },
  }
}
