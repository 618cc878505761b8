interface Target {
  addEventListener?(name: string, listener: () => void, options: { signal: AbortSignal }): void
}

interface PageListeners {
  /** The network has changed, or the page is visible again. */
  onWake(): void
  /** The page is left. It may come back from the cache of the browser, where a WebSocket would prevent it. */
  onHide(): void
  onShow(): void
}

/** Listens to the browser. Does nothing in other runtimes. Returns a function that stops listening. */
export function listenToPage({ onWake, onHide, onShow }: PageListeners): () => void {
  const page = globalThis as Target & { document?: Target & { visibilityState: string } }
  const { document } = page
  const controller = new AbortController()
  const options = { signal: controller.signal }
  page.addEventListener?.('online', onWake, options)
  page.addEventListener?.('offline', onWake, options)
  if (document) {
    const onVisibility = () => {
      if (document.visibilityState === 'visible') onWake()
    }
    document.addEventListener?.('visibilitychange', onVisibility, options)
    page.addEventListener?.('pagehide', onHide, options)
    page.addEventListener?.('pageshow', onShow, options)
  }
  return () => controller.abort()
}
