import { expect, test } from 'bun:test'
import { createLag } from '../../../src/chats/lag.ts'

function startLag() {
  let time = 0
  return {
    lag: createLag(() => time),
    pass(ms: number): void {
      time += ms
    },
  }
}

test('a node that follows a growing log is not late, however long this lasts', () => {
  const { lag, pass } = startLag()
  for (let head = 10; head < 100; head += 10) {
    lag.see(head, head - 10)
    pass(1500)
    expect(lag.isLate(head - 5)).toBe(false)
  }
})

test('a node is late if it does not reach the same head for two seconds, until it reaches it', () => {
  const { lag, pass } = startLag()
  lag.see(10, 4)
  pass(2000)
  expect(lag.isLate(9)).toBe(false)
  lag.see(20, 9)
  pass(1)
  expect(lag.isLate(9)).toBe(true)
  expect(lag.isLate(10)).toBe(false)
})
