/** Calls listeners by the name of an event. */
export interface Events<Map> {
  on<Name extends keyof Map>(name: Name, listener: (value: Map[Name]) => void): () => void
  emit<Name extends keyof Map>(name: Name, value: Map[Name]): void
}

export function createEvents<Map>(): Events<Map> {
  const listeners = new Set<readonly [name: unknown, listener: (value: never) => void]>()
  return {
    on(name, listener) {
      const entry = [name, listener] as const
      listeners.add(entry)
      return () => listeners.delete(entry)
    },
    emit(name, value) {
      for (const [each, listener] of [...listeners]) {
        if (each !== name) continue
        try {
          listener(value as never)
        } catch (error) {
          // A listener that throws must not prevent the others from receiving the event. Its error is
          // reported like any uncaught error.
          queueMicrotask(() => {
            throw error
          })
        }
      }
    },
  }
}
