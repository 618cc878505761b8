import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'

/** A seeded source of random values. A seed reproduces its values, but not the scheduling of processes. */
export interface Random {
  /** An integer from `from` to `to`, both inclusive. */
  between(from: number, to: number): number
  /** True with a probability of `percent` in 100. */
  percent(percent: number): boolean
  pick<T>(choices: readonly T[]): T
  bytes(length: number): Uint8Array
  /** An independent source, for code whose number of draws depends on timing. */
  branch(): Random
}

export function createRandom(seed: number): Random {
  const generator = xoroshiro128plus(seed)
  const between = (from: number, to: number) => uniformInt(generator, from, to)
  return {
    between,
    percent: (percent) => between(1, 100) <= percent,
    pick: (choices) => choices[between(0, choices.length - 1)] as (typeof choices)[number],
    bytes: (length) => Uint8Array.from({ length }, () => between(0, 255)),
    branch: () => createRandom(between(0, 0x7fffffff)),
  }
}
