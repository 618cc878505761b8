import type { StoredMessage } from './message-log.ts'

type Listener = (message: StoredMessage) => void

/**
 * The listeners of a message log. A listener that throws must not fail an append that is already committed,
 * so its error goes to `onError`.
 */
export function createListeners(onError: (error: unknown) => void) {
  const listeners: Listener[] = []
  return {
    add: (listener: Listener) => void listeners.push(listener),
    notify(message: StoredMessage): void {
      for (const listener of listeners) {
        try {
          listener(message)
        } catch (error) {
          onError(error)
        }
      }
    },
  }
}
