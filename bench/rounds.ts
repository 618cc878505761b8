// Interleaved rounds: what disturbs the machine for a while then affects all servers alike.

import type { Size } from './harness.ts'

type Measurements<Name extends string, T> = Record<Name, () => Promise<T>>

/**
 * Runs all measurements once per round and returns their results. The order is always the same, so that none follows
 * itself: the second of two measurements of the same server in a row is 5 % faster than the first.
 */
export async function interleave<Name extends string, T>(
  { warmUpRounds, rounds }: Pick<Size, 'warmUpRounds' | 'rounds'>,
  measurements: Measurements<Name, T>,
): Promise<Record<Name, T[]>> {
  const names = Object.keys(measurements) as Name[]
  const results = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, T[]>
  for (let round = -warmUpRounds; round < rounds; round += 1) {
    for (const name of names) {
      const result = await measurements[name]()
      if (round >= 0) results[name].push(result)
    }
  }
  return results
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
