/**
 * Awaits `promise` with a timeout. The timeout only prevents a broken server from blocking the run; no
 * scenario uses it to measure time.
 *
 * @param what the expected event, for the error message
 */
export async function within<T>(limitMs: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`timeout after ${limitMs} ms: ${what}`)), limitMs)
  })
  try {
    return await Promise.race([promise, limit])
  } finally {
    clearTimeout(timer)
  }
}

/** Calls `isDone` repeatedly until it returns true. */
export async function until(
  limitMs: number,
  what: string,
  isDone: () => boolean | Promise<boolean>,
  pauseMs = 20,
): Promise<void> {
  const end = performance.now() + limitMs
  while (!(await isDone())) {
    if (performance.now() > end) throw new Error(`timeout after ${limitMs} ms: ${what}`)
    await Bun.sleep(pauseMs)
  }
}
