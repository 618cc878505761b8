interface Page {
  addEventListener?(name: string, listener: () => void, options: { signal: AbortSignal }): void
}

interface PageListeners {
  /** The network has changed, or the page is visible again. */
  onWake(): void
  /** The page is left. It can come back from a cache of the browser, where a WebSocket would prevent it. */
  onHide(): void
}

/** Listens to the browser. Does nothing in other runtimes. Returns a function that stops listening. */
export function listenToPage({ onWake, onHide }: PageListeners): () => void {
  const page = globalThis as Page
  const controller = new AbortController()
  const { signal } = controller
  for (const name of ['online', 'offline', 'visibilitychange', 'pageshow']) {
    page.addEventListener?.(name, onWake, { signal })
  }
  page.addEventListener?.('pagehide', onHide, { signal })
  return () => controller.abort()
}
