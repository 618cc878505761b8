import { expect, test } from 'bun:test'
import { createEpoch, createMessageIds } from '../../../src/chats/message-ids.ts'

const sequences = [0, 1, 35, 36, 1295, 1296, 1_000_000, Number.MAX_SAFE_INTEGER]

test('an id is decoded to its sequence, and ids sort in log order', () => {
  const ids = createMessageIds('4f7h2k9x')
  const encoded = sequences.map(ids.encode)
  expect(encoded.map(ids.decode)).toEqual(sequences)
  expect(encoded.toSorted()).toEqual(encoded)
})

test('the ids of another log, and texts that are no ids, are not decoded', () => {
  const [own, other] = [createMessageIds('4f7h2k9x'), createMessageIds('4f7h2k9y')]
  for (const id of sequences.map(other.encode)) expect(own.decode(id)).toBeUndefined()
  for (const id of ['4f7h2k9x-1', '4f7h2k9x-0000000000A', '4f7h2k9x-zzzzzzzzzzz', '4f7h2k9x']) {
    expect(own.decode(id)).toBeUndefined()
  }
})

test('every new log has another epoch of eight characters', () => {
  const epochs = Array.from({ length: 1000 }, createEpoch)
  expect(new Set(epochs).size).toBe(1000)
  for (const epoch of epochs) expect(epoch).toMatch(/^[0-9a-z]{8}$/)
})
