import type { RunOnDatabase } from '../storage/sqlite/connection.ts'
import type { MessageStatements } from './message-statements.sqlite.ts'

/** Small enough not to delay sends: the messages of a user have no index, which would make each send dearer. */
const sequencesPerStep = 2000

const retryMs = 10_000

interface EraserOptions {
  readonly statements: Pick<MessageStatements, 'removeOf' | 'erasures' | 'finishErasure'>
  readonly write: RunOnDatabase
  /** The sequence of the newest message. */
  readonly head: () => number
  /** Every sequence up to this one has been removed. */
  readonly start: () => number
  /** Resolves when no append is pending. */
  readonly flush: () => Promise<void>
  /** Called with errors of background work; no request is waiting for it. */
  readonly onError: (error: unknown) => void
}

/** Erases the messages of removed users, and continues the erasures that an earlier process has not finished. */
export function createEraser({ statements, write, head, start, flush, onError }: EraserOptions) {
  let stopped = false
  let retry: Timer | undefined

  async function eraseAll(userId: string): Promise<void> {
    // The account is removed, so no further message of the user is appended after the pending ones.
    await flush()
    for (let after = start(); after < head() && !stopped; after += sequencesPerStep) {
      const range = { after, through: after + sequencesPerStep }
      write(() => statements.removeOf(userId, range))
      await new Promise((resolve) => setImmediate(resolve))
    }
    if (!stopped) write(() => statements.finishErasure(userId))
  }

  /** Tries again after a failure: the account is removed already, so its user cannot ask again. */
  async function erase(find: () => readonly string[]): Promise<void> {
    try {
      for (const userId of find()) await eraseAll(userId)
    } catch (error) {
      onError(error)
      clearTimeout(retry)
      if (!stopped) retry = setTimeout(() => erase(statements.erasures), retryMs)
    }
  }

  void erase(statements.erasures)
  return {
    erase: (userId: string) => erase(() => [userId]),
    stop() {
      stopped = true
      clearTimeout(retry)
    },
  }
}
