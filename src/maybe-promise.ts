/**
 * A value that is available at once, or later. The ports of the storage return it: SQLite answers
 * synchronously, and a promise would cost as much as the rest of a short request.
 */
export type MaybePromise<Value> = Value | Promise<Value>

/** Passes `value` to `next`, without a promise if the value is available at once. */
export const chain = <Value, Result>(
  value: MaybePromise<Value>,
  next: (value: Value) => MaybePromise<Result>,
): MaybePromise<Result> => (value instanceof Promise ? value.then(next) : next(value))
