import { expect, spyOn, test } from 'bun:test'
import { createRoomId } from '../../../src/rooms/room-id.ts'

test('the id of a room does not start with a hyphen, which commands would take for an option', () => {
  // 0xf8 is the first byte of a text in base64url that starts with a hyphen.
  const firstBytes = [0xf8, 0xfb, 0x00]
  const random = spyOn(crypto, 'getRandomValues').mockImplementation((bytes) => {
    new Uint8Array((bytes as Uint8Array).buffer).fill(firstBytes.shift() ?? 0)
    return bytes
  })
  try {
    expect(createRoomId()).toBe('AAAAAAAAAAAAAAAAAAAAAA')
    expect(firstBytes).toEqual([])
  } finally {
    random.mockRestore()
  }
})
