import { expect, test } from 'bun:test'
import { createWritableRooms } from '../../../src/chats/writable-rooms.ts'

/** Memberships that a test changes, with the number of reads. */
function createMemberships() {
  const members = new Set<string>()
  const memberships = { members, reads: 0 }
  const rooms = createWritableRooms((_, userId) => {
    memberships.reads++
    return members.has(userId) ? { number: 7 } : null
  })
  return { memberships, rooms }
}

test('a membership is read once, and again after a change', () => {
  const { memberships, rooms } = createMemberships()
  memberships.members.add('ada')
  for (const batch of [{}, {}, {}]) expect(rooms.find('room', 'ada', batch)).toBe(7)
  expect(memberships.reads).toBe(1)
  const batch = {}
  rooms.change(batch)
  memberships.members.delete('ada')
  expect(rooms.find('room', 'ada', batch)).toBeUndefined()
  expect(rooms.find('room', 'ada', {})).toBeUndefined()
})

test('a refusal is read each time', () => {
  const { memberships, rooms } = createMemberships()
  expect(rooms.find('room', 'ada', {})).toBeUndefined()
  memberships.members.add('ada')
  expect(rooms.find('room', 'ada', {})).toBe(7)
})

test('what a commit has read after its own change is forgotten, since it may be rolled back', () => {
  const { memberships, rooms } = createMemberships()
  const batch = {}
  rooms.change(batch)
  memberships.members.add('ada')
  expect(rooms.find('room', 'ada', batch)).toBe(7)
  // The transaction fails.
  memberships.members.delete('ada')
  expect(rooms.find('room', 'ada', {})).toBeUndefined()
})
