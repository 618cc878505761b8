import type { MaybePromise } from '../maybe-promise.ts'
import type { LogMetrics } from '../metrics/metrics.ts'
import type { NewMessage } from './message-log.ts'

function isAdded(message: NewMessage | undefined): boolean {
  const outcome = message?.outcome
  return outcome !== undefined && !(outcome instanceof Error) && !outcome.repeated
}

/**
 * Counts commits of messages. Without metrics, the function itself is used.
 *
 * @param toMessage returns the message of an item; undefined for an item without one
 */
export function measureCommits<Item>(
  metrics: LogMetrics | undefined,
  toMessage: (item: Item) => NewMessage | undefined,
  commit: (items: readonly Item[]) => MaybePromise<void>,
): (items: readonly Item[]) => MaybePromise<void> {
  if (!metrics) return commit

  function succeed(items: readonly Item[], startedAt: number): void {
    let added = 0
    for (const item of items) if (isAdded(toMessage(item))) added++
    metrics?.committed(items.length, added, performance.now() - startedAt)
  }
  function fail(error: unknown): never {
    metrics?.commitFailed()
    throw error
  }

  return (items) => {
    const startedAt = performance.now()
    let committed: MaybePromise<void>
    try {
      committed = commit(items)
    } catch (error) {
      return fail(error)
    }
    if (committed instanceof Promise) return committed.then(() => succeed(items, startedAt), fail)
    succeed(items, startedAt)
  }
}
