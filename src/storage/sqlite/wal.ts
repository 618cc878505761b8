import { closeSync, fdatasync, fdatasyncSync, openSync } from 'node:fs'
import { type Clock, systemClock } from '../../clock.ts'
import type { MaybePromise } from '../../maybe-promise.ts'

export interface Wal {
  /**
   * Makes all commits until now durable: those that a checkpoint has moved are already. Returns a promise if the disk
   * is slow, so that the thread does not wait for it.
   */
  flush(): MaybePromise<void>
  /** A second call has no effect. */
  close(): void
}

/** The two ways to flush a file by its descriptor. */
interface FlushFile {
  /** On this thread. */
  readonly now: (descriptor: number) => void
  /** On a thread of the pool. */
  readonly later: (descriptor: number) => Promise<void>
}

const flushFile: FlushFile = {
  now: fdatasyncSync,
  later: (descriptor) =>
    new Promise((resolve, reject) => {
      fdatasync(descriptor, (error) => (error ? reject(error) : resolve()))
    }),
}

interface WalOptions {
  readonly flushFile?: FlushFile
  readonly clock?: Pick<Clock, 'monotonicMs'>
}

/**
 * A flush on another thread costs 0.1 ms more, and up to 0.3 ms of processor time on a virtual machine, because both
 * threads have to be woken. That pays off only on a slow disk (docs/decisions/group-commit.md).
 */
const slowMs = 1
/**
 * The total of slow flushes in a row that makes a disk slow, at least two of them. On a fast disk, every tenth flush can
 * take a millisecond or two, and now and then one takes twenty.
 */
const slowInRowMs = 10
/** Then the disk is measured again. Only this thread can do that: the other one responds when this one is free. */
const flushesLater = 50

/** Opens the write-ahead log of an open database, to flush it. */
export function openWal(
  path: string,
  { flushFile: { now, later } = flushFile, clock = systemClock }: WalOptions = {},
): Wal {
  const descriptor = openSync(path, 'r')
  /** The last flushes that were slow one after the other. */
  let slow = { count: 0, ms: 0 }
  let remainingLater = 0
  let closed = false

  function flushNow(): void {
    const startedAt = clock.monotonicMs()
    now(descriptor)
    const ms = clock.monotonicMs() - startedAt
    slow = ms < slowMs ? { count: 0, ms: 0 } : { count: slow.count + 1, ms: slow.ms + ms }
    if (slow.count > 1 && slow.ms >= slowInRowMs) remainingLater = flushesLater
  }

  return {
    flush() {
      if (remainingLater === 0) return flushNow()
      remainingLater--
      return later(descriptor)
    },
    // Closing a descriptor releases the locks of the process on the file. SQLite locks only the other two files.
    close() {
      // By then, the number may belong to another file.
      if (closed) return
      closed = true
      closeSync(descriptor)
    },
  }
}
