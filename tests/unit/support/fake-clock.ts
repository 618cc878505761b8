import type { Clock } from '../../../src/clock.ts'

/** A clock that stands still until a test moves it. */
export interface FakeClock extends Clock {
  /** Lets time pass: both clocks advance. */
  advance(ms: number): void
  /** Sets the wall clock forward or, if negative, back. No time passes. */
  jump(ms: number): void
  /** Starts the process again: the monotonic clock starts at another value. */
  restart(): void
}

export function createFakeClock(epoch = Date.UTC(2026, 0, 1)): FakeClock {
  let wall = epoch
  let monotonic = 1000
  return {
    epochMs: () => wall,
    monotonicMs: () => monotonic,
    advance(ms) {
      wall += ms
      monotonic += ms
    },
    jump(ms) {
      wall += ms
    },
    restart() {
      monotonic = 5
    },
  }
}
