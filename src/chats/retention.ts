interface TrimmingOptions {
  readonly retentionDays: number
  /** Called with errors of background work; no request is waiting for it. */
  readonly onError: (error: unknown) => void
  /**
   * Removes at most `limit` messages that exceed the retention limits, oldest first.
   *
   * @param oldestSentAt milliseconds since the epoch; older messages exceed the limits
   * @returns whether there are more to remove
   */
  readonly trim: (oldestSentAt: number, limit: number) => boolean
}

const dayMs = 86_400_000
const pauseMs = 10_000

/** Small enough not to delay sends. While there is more to remove, steps follow each other quickly. */
const messagesPerStep = 500
const betweenStepsMs = 20

/** Trims the log in the background until it is stopped. */
export function scheduleTrimming({ retentionDays, onError, trim }: TrimmingOptions) {
  let timer: Timer | undefined

  function step(): void {
    let more = false
    try {
      more = trim(Date.now() - retentionDays * dayMs, messagesPerStep)
    } catch (error) {
      onError(error)
    }
    timer = setTimeout(step, more ? betweenStepsMs : pauseMs)
  }

  timer = setTimeout(step, betweenStepsMs)
  return { stop: () => clearTimeout(timer) }
}
