interface Retention {
  readonly retentionDays: number
  readonly onError: (error: unknown) => void
}

interface Trimmable {
  trim(oldestSentAt: number, most: number): boolean
}

const dayMs = 86_400_000
const pauseMs = 10_000

/** So small that a step does not stall sends; while there is more, the steps follow one another. */
const messagesPerStep = 500
const betweenStepsMs = 20

/** Trims the log in the background until stopped. */
export function scheduleTrimming({ retentionDays, onError }: Retention, log: Trimmable) {
  let timer: Timer | undefined

  function step(): void {
    let more = false
    try {
      more = log.trim(Date.now() - retentionDays * dayMs, messagesPerStep)
    } catch (error) {
      onError(error)
    }
    timer = setTimeout(step, more ? betweenStepsMs : pauseMs)
  }

  timer = setTimeout(step, betweenStepsMs)
  return { stop: () => clearTimeout(timer) }
}
