/**
 * `promise`, or an error that names what did not come. The limit only keeps a broken server from
 * holding up the run for ever; no scenario measures with it.
 */
export async function within<T>(limitMs: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${limitMs} ms in vain: ${what}`)), limitMs)
  })
  try {
    return await Promise.race([promise, limit])
  } finally {
    clearTimeout(timer)
  }
}

/** Asks until the answer is true. */
export async function until(
  limitMs: number,
  what: string,
  ask: () => boolean | Promise<boolean>,
  pauseMs = 20,
): Promise<void> {
  const end = performance.now() + limitMs
  while (!(await ask())) {
    if (performance.now() > end) throw new Error(`waited ${limitMs} ms in vain: ${what}`)
    await Bun.sleep(pauseMs)
  }
}
