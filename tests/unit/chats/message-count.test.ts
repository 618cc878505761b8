import { expect, test } from 'bun:test'
import { createMessageCount } from '../../../src/chats/message-count.sqlite.ts'
import { openSqlite } from '../../../src/storage/sqlite/connection.ts'
import { messages } from '../../../src/storage/sqlite/schema.ts'
import { temporaryFolder } from '../support/service.ts'

test('messages are counted a part at a time, also those that are stored or removed later', async () => {
  await using folder = await temporaryFolder()
  const { queries, close } = openSqlite(folder.path)
  // Every second sequence, as if the others belonged to rooms.
  const store = (from: number, to: number) =>
    queries.$client.run(
      `with recursive s(n) as (select ${from} union all select n + 2 from s where n + 2 <= ${to})
       insert into messages (sequence, user_id, sent_at, frame) select n, 'u', 0, '' from s`,
    )
  const oldest = Array.from({ length: 500 }, (_, index) => ({ sequence: 2 * index + 2, sentAt: 0 }))
  store(2, 24_000)
  const count = createMessageCount({ queries, table: messages, retentionCount: 11_990 })
  // 12,000 messages take three parts.
  expect([count.edge(oldest), count.isComplete()]).toEqual([0, false])
  expect([count.edge(oldest), count.isComplete()]).toEqual([0, false])
  expect([count.edge(oldest), count.isComplete()]).toEqual([20, true])
  store(24_002, 24_010)
  expect(count.edge(oldest)).toBe(30)
  count.removed([100, 102, 99_999])
  expect(count.edge(oldest)).toBe(26)
  count.removedOldest(13)
  expect(count.edge(oldest)).toBe(0)
  close()
})
