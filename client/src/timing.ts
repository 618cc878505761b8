import { type OperationId, ParleyError } from './errors.ts'

/**
 * The delay before an attempt to repeat: it doubles with each failure up to a maximum, and is random so that
 * the clients of a restarted server do not all return at once.
 */
export const backoffMs = (failures: number, firstMs: number, maxMs: number) =>
  Math.min(firstMs * 2 ** failures, maxMs) + Math.random() * firstMs

/** Settles like `promise`, but rejects as soon as the signal is aborted. The work behind the promise is not stopped. */
export function orAborted<Value>(
  promise: Promise<Value>,
  signal: AbortSignal | undefined,
  operation?: OperationId,
): Promise<Value> {
  if (!signal) return promise
  return new Promise((resolve, reject) => {
    const abort = () =>
      reject(new ParleyError('aborted', { operation, outcome: 'unknown', cause: signal.reason }))
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort)
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

/** Rejects if the signal is aborted. */
export function sleep(ms: number, signal: AbortSignal | undefined, operation: OperationId): Promise<void> {
  let timer: ReturnType<typeof setTimeout>
  const slept = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  return orAborted(slept, signal, operation).finally(() => clearTimeout(timer))
}
