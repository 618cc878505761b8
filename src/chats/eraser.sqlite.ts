import type { RunOnDatabase } from '../storage/sqlite/connection.ts'
import type { MessageStatements } from './message-statements.sqlite.ts'

/** Small enough not to delay sends: the messages of a user have no index, which would make each send dearer. */
const sequencesPerStep = 2000

const retryMs = 10_000

interface ErasureOptions {
  readonly statements: Pick<MessageStatements, 'removeOf' | 'finishErasure'>
  readonly write: RunOnDatabase
  /** The sequence of the newest message. */
  readonly head: () => number
  /** Every sequence up to this one has been removed. */
  readonly start: () => number
  readonly isStopped?: () => boolean
  /** Lets others work between two steps. */
  readonly pause?: () => Promise<unknown>
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

/** Erases all messages of a user in small transactions, unless it is stopped before the end. */
export async function eraseAllMessages(
  userId: string,
  { statements, write, head, start, isStopped = () => false, pause = nextTurn }: ErasureOptions,
): Promise<void> {
  for (let after = start(); after < head() && !isStopped(); after += sequencesPerStep) {
    const range = { after, through: after + sequencesPerStep }
    write(() => statements.removeOf(userId, range))
    await pause()
  }
  if (!isStopped()) write(() => statements.finishErasure(userId))
}

interface EraserOptions extends Omit<ErasureOptions, 'statements' | 'isStopped' | 'pause'> {
  readonly statements: Pick<MessageStatements, 'removeOf' | 'erasures' | 'finishErasure'>
  /** Resolves when no append is pending. */
  readonly flush: () => Promise<void>
  /** Called with errors of background work; no request is waiting for it. */
  readonly onError: (error: unknown) => void
}

/** Erases the messages of removed users, and continues the erasures that an earlier process has not finished. */
export function createEraser({ flush, onError, ...options }: EraserOptions) {
  const { statements } = options
  let stopped = false
  let retry: Timer | undefined

  async function eraseAll(userId: string): Promise<void> {
    // The account is removed, so no further message of the user is appended after the pending ones.
    await flush()
    await eraseAllMessages(userId, { ...options, isStopped: () => stopped })
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
