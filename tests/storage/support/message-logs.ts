import {
  type MessageLog,
  type NewMessage,
  outcomeOf,
  parseFrame,
  type ReadResult,
} from '../../../src/chats/message-log.ts'

export const author = { id: 'u1', username: 'someone' }

/** Records the messages that the log broadcasts, and appends messages by their text. */
export function observeLog(log: MessageLog) {
  const broadcast: { readonly id: string; readonly message: string }[] = []
  log.subscribe(({ id, frame }) => broadcast.push({ id, message: parseFrame(frame).message }))
  return {
    log,
    broadcast,
    broadcastTexts: () => broadcast.map(({ message }) => message),
    broadcastIds: () => broadcast.map(({ id }) => id),
    async append(message: string, idempotencyKey?: string, user = author) {
      const entry: NewMessage = { user, message, idempotencyKey }
      await log.append(entry)
      return outcomeOf(entry)
    },
  }
}

/** The texts of a page, or `gone`. */
export async function textsOf(result: ReadResult): Promise<string[] | 'gone'> {
  const page = await result
  return page === 'gone' ? page : page.messages.map(({ frame }) => parseFrame(frame).message)
}

/** The number of stored messages. */
export async function countStored(log: MessageLog): Promise<number> {
  const texts = await textsOf(log.readAfter(undefined, 10_000))
  return texts.length
}

/** The texts `m<from>` to `m<to>`. */
export const numbered = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => `m${from + i}`)

export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await Bun.sleep(5)
}
