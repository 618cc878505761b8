import type { SQL } from 'bun'
import { openClient } from './pool.ts'

/** A notification of the database. */
export type Notification =
  | { readonly kind: 'accounts' | 'removals' }
  | { readonly kind: 'head'; readonly head: number; readonly session: string }

export function parseNotification(payload: string): Notification | undefined {
  if (payload === 'accounts' || payload === 'removals') return { kind: payload }
  const [kind, head, session = ''] = payload.split(' ')
  return kind === 'head' ? { kind, head: Number(head), session } : undefined
}

interface ListenerOptions {
  readonly url: string
  readonly onNotification: (notification: Notification) => void
  /** Called when notifications arrive again: earlier ones may have been lost. */
  readonly onListening: () => void
}

export interface Listener {
  /**
   * Compares the head of the log, which was read from the database, with the notified one. If two reads in a
   * row find a newer head, notifications no longer arrive, and the connection is replaced.
   */
  compare(head: number): void
  /** How often the connection was replaced. */
  reconnects(): number
  close(): Promise<void>
}

const reconnectMs = 1000
/** Leaves a new connection time to receive its first notification. */
const minLifetimeMs = 2000

/**
 * Listens to the notifications of the database. They only make things faster: whatever is missed is found by
 * the next read of the feed. Bun's client reconnects with growing pauses, and does not notice a connection on
 * which nothing arrives any more, so this one replaces it.
 */
export function listen({ url, onNotification, onListening }: ListenerOptions): Listener {
  let client: SQL | undefined
  let closed = false
  let openedAt = 0
  let notifiedHead = 0
  let missedHead: number | undefined
  /** Whether the next head is taken as notified: it may have been reached before this connection listened. */
  let takesHead = true
  let retry: Timer | undefined
  let reconnects = 0

  async function open(): Promise<void> {
    const opened = openClient({ url, name: 'parley listen', size: 1, attemptMs: 5000 })
    client = opened
    openedAt = performance.now()
    takesHead = true
    const receive = (payload: string) => {
      const notification = client === opened ? parseNotification(payload) : undefined
      if (!notification) return
      if (notification.kind === 'head') notifiedHead = Math.max(notifiedHead, notification.head)
      onNotification(notification)
    }
    try {
      await opened.listen('parley', receive, () => {
        if (client !== opened) return
        takesHead = true
        onListening()
      })
    } catch {
      // The feed reports an outage.
      if (client === opened && !closed) retry = setTimeout(replace, reconnectMs)
    }
  }

  function replace(): void {
    clearTimeout(retry)
    client?.close({ timeout: 0 }).catch(() => {})
    if (closed) return
    reconnects++
    void open()
  }

  void open()
  return {
    compare(head) {
      if (takesHead) notifiedHead = Math.max(notifiedHead, head)
      takesHead = false
      const missed = missedHead
      missedHead = head > notifiedHead ? head : undefined
      if (missed === undefined || missed <= notifiedHead) return
      if (performance.now() - openedAt >= minLifetimeMs) replace()
    },
    reconnects: () => reconnects,
    async close() {
      closed = true
      clearTimeout(retry)
      await client?.close({ timeout: 0 }).catch(() => {})
    },
  }
}
