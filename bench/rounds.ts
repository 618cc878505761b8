// Interleaved rounds: what disturbs the machine for a while then affects all servers alike.

import type { Size } from './harness.ts'

type Measurements<Name extends string, T> = Record<Name, () => Promise<T>>

/**
 * Runs all measurements once per round, in random order, and returns their results. None follows itself: the second of
 * two measurements of the same server in a row is 5 % faster than the first. What precedes a measurement also matters,
 * so it is not always the same one.
 */
export async function interleave<Name extends string, T>(
  { warmUpRounds, rounds }: Pick<Size, 'warmUpRounds' | 'rounds'>,
  measurements: Measurements<Name, T>,
): Promise<Record<Name, T[]>> {
  const names = Object.keys(measurements) as Name[]
  const results = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, T[]>
  let order = names
  for (let round = -warmUpRounds; round < rounds; round += 1) {
    order = shuffleAfter(order)
    for (const name of order) {
      const result = await measurements[name]()
      if (round >= 0) results[name].push(result)
    }
  }
  return results
}

/** The names in random order. The first one is not the last one of the given order, unless there is only one. */
function shuffleAfter<Name>(order: readonly Name[]): Name[] {
  for (;;) {
    const shuffled = order
      .map((name) => ({ name, at: Math.random() }))
      .sort((first, second) => first.at - second.at)
      .map(({ name }) => name)
    if (order.length < 2 || shuffled[0] !== order.at(-1)) return shuffled
  }
}

/** Servers that run at the same time, and what is measured on them. */
interface Generation<Name extends string, T> {
  measurements: Measurements<Name, T>
  stop: () => Promise<unknown>
}

/**
 * Like `interleave`, with new servers for each part of the rounds. Two processes of the same server can differ by
 * several percent for as long as they run, because each has its own layout of memory. Rounds alone do not show that.
 */
export async function interleaveGenerations<Name extends string, T>(
  size: Pick<Size, 'warmUpRounds' | 'rounds' | 'generations'>,
  start: () => Promise<Generation<Name, T>>,
): Promise<Record<Name, T[]>> {
  const results: Partial<Record<Name, T[]>> = {}
  for (let generation = 0; generation < size.generations; generation += 1) {
    const { measurements, stop } = await start()
    const part = await interleave({ ...size, rounds: size.rounds / size.generations }, measurements)
    await stop()
    for (const name of Object.keys(part) as Name[]) {
      results[name] = [...(results[name] ?? []), ...part[name]]
    }
  }
  return results as Record<Name, T[]>
}

export const slowRounds = (size: Size): Size => ({ ...size, rounds: size.slowRounds })

/** Like `interleave`, but for a single measurement. */
export async function repeat<T>(
  size: Pick<Size, 'warmUpRounds' | 'rounds'>,
  measurement: () => Promise<T>,
): Promise<T[]> {
  return (await interleave(size, { measurement })).measurement
}
