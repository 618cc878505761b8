import type { MaybePromise } from '../maybe-promise.ts'

/**
 * A computation that asks the database. It is the same for every engine: SQLite answers within the turn, which its
 * transactions need, and PostgreSQL later.
 */
// biome-ignore lint/suspicious/noExplicitAny: each `yield` receives a value of another type; `ask` restores it.
export type Steps<Result> = Generator<MaybePromise<unknown>, Result, any>

/** Continues with the value, once it is available. */
export function* ask<Value>(value: MaybePromise<Value>): Steps<Value> {
  return (yield value) as Value
}

/** Runs steps whose values are all available at once. */
export function runSteps<Result>(steps: Steps<Result>): Result {
  let step = steps.next()
  while (!step.done) {
    if (step.value instanceof Promise) throw new TypeError('A value is not available at once')
    step = steps.next(step.value)
  }
  return step.value
}

/** Runs steps, and waits for each value. */
export async function runStepsAsynchronously<Result>(steps: Steps<Result>): Promise<Result> {
  let step = steps.next()
  while (!step.done) step = steps.next(await step.value)
  return step.value
}
