import { expect, test } from 'bun:test'
import type { ChatMessage } from '../faults/ledger.ts'
import { check, type Observed, type Outcome, type Sent } from './check.ts'

const message = (number: number, text = `a ${number}`): ChatMessage => ({
  event: 'message',
  id: `epoch-${String(number).padStart(11, '0')}`,
  message: text,
  user: { id: 'u', username: 'someone' },
  sentAt: '2026-01-01T00:00:00.000Z',
})

const sent = (number: number, outcome: Outcome = 'acknowledged'): Sent => ({
  sender: 'a',
  number,
  text: `a ${number}`,
  outcome,
})

const observer = (messages: readonly ChatMessage[]): Observed => ({
  name: 'reader',
  after: 'epoch-',
  frames: messages.map((one) => JSON.stringify(one)),
})

const log = [message(1), message(2), message(3)]
const all = [sent(1), sent(2), sent(3)]
const nothing = { lost: 0, duplicated: 0, reordered: 0, findings: [] }

test('a complete log that every client has received passes', () => {
  expect(check(log, all, [observer(log)])).toEqual({ acknowledged: 3, ...nothing })
})

test('an acknowledged message that is not stored is lost, and one that is stored twice is duplicated', () => {
  expect(check(log, [...all, sent(4)], [])).toMatchObject({ lost: 1 })
  expect(check([...log, message(4, 'a 2')], [sent(1), sent(3), sent(2)], [])).toMatchObject({ duplicated: 1 })
})

test('a message with an unknown outcome may be stored once or not at all, and a refused one not at all', () => {
  expect(check(log, [sent(1, 'unknown'), sent(4, 'unknown')], [])).toEqual({ acknowledged: 0, ...nothing })
  expect(check([...log, message(4, 'a 1')], [sent(1, 'unknown')], [])).toMatchObject({ duplicated: 1 })
  expect(check(log, [sent(1, 'refused')], []).findings).toHaveLength(1)
})

test('messages of one sender in another order are reordered', () => {
  expect(check([message(1, 'a 2'), message(2, 'a 1')], [sent(1), sent(2)], [])).toMatchObject({
    reordered: 1,
  })
})

test('a client that misses a message, receives it twice, too late or with other bytes is reported', () => {
  const [one, two, three] = log as [ChatMessage, ChatMessage, ChatMessage]
  expect(check(log, all, [observer([one, three])])).toMatchObject({ lost: 1 })
  expect(check(log, all, [observer([one, two, two, three])])).toMatchObject({ duplicated: 1 })
  expect(check(log, all, [observer([two, one, three])])).toMatchObject({ reordered: 1 })
  expect(check(log, all, [observer([one, two, { ...three, message: 'other' }])]).findings).toHaveLength(1)
})
