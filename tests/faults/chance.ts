import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'

/** Choices that a seed repeats. What the machine's scheduler decides, no seed repeats. */
export interface Chance {
  /** A whole number from `from` to `to`, both included. */
  between(from: number, to: number): number
  /** True in `percent` of 100 cases. */
  percent(percent: number): boolean
  pick<T>(choices: readonly T[]): T
  bytes(length: number): Uint8Array
  /** A source of its own, for what makes more or fewer choices by chance of another kind. */
  branch(): Chance
}

export function createChance(seed: number): Chance {
  const generator = xoroshiro128plus(seed)
  const between = (from: number, to: number) => uniformInt(generator, from, to)
  return {
    between,
    percent: (percent) => between(1, 100) <= percent,
    pick: (choices) => choices[between(0, choices.length - 1)] as (typeof choices)[number],
    bytes: (length) => Uint8Array.from({ length }, () => between(0, 255)),
    branch: () => createChance(between(0, 0x7fffffff)),
  }
}
