import type { MaybePromise } from '../maybe-promise.ts'

interface Batch<Item> extends PromiseWithResolvers<void> {
  readonly items: Item[]
}

interface GroupCommitOptions<Item> {
  /** Limits how long one commit blocks the thread. A commit costs nearly the same for one item as for many. */
  readonly maxBatchSize: number
  /** Makes the items of one batch durable, in their order. */
  readonly commit: (items: readonly Item[]) => MaybePromise<void>
}

export interface GroupCommit<Item> {
  /** Resolves when the batch that contains `item` is committed. All items of a batch share the promise. */
  add(item: Item): Promise<void>
  /** Resolves when no item is pending. */
  flush(): Promise<void>
}

/**
 * Collects items that arrive while the thread is busy, or while a commit is running, and commits them
 * together. Batches are committed one after the other, in order; a batch that fails does not affect others.
 */
export function createGroupCommit<Item>({
  maxBatchSize,
  commit,
}: GroupCommitOptions<Item>): GroupCommit<Item> {
  /** The unsettled batches, in order. The first may be committing; only the last takes further items. */
  const batches: Batch<Item>[] = []
  let committing: Batch<Item> | undefined

  function finish(settle: () => void): void {
    batches.shift()
    committing = undefined
    // Scheduled instead of called, so that requests that have arrived join the next batch.
    if (batches.length > 0) setImmediate(commitNext)
    settle()
  }

  function commitNext(): void {
    const batch = batches[0] as Batch<Item>
    committing = batch
    const fail = (error: unknown) => finish(() => batch.reject(error))
    let committed: MaybePromise<void>
    try {
      committed = commit(batch.items)
    } catch (error) {
      fail(error)
      return
    }
    if (committed instanceof Promise) committed.then(() => finish(batch.resolve), fail)
    else finish(batch.resolve)
  }

  function openBatch(): Batch<Item> {
    const last = batches.at(-1)
    if (last && last !== committing && last.items.length < maxBatchSize) return last
    const batch = { items: [], ...Promise.withResolvers<void>() }
    batches.push(batch)
    if (batches.length === 1) setImmediate(commitNext)
    return batch
  }

  return {
    add(item) {
      const batch = openBatch()
      batch.items.push(item)
      return batch.promise
    },
    flush: async () => void (await Promise.allSettled(batches.map(({ promise }) => promise))),
  }
}
