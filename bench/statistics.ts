// The statistics of a benchmark run. All of them are about medians, because single outliers say nothing about the
// server: they come from other work on the machine.

/** The median of the samples. For an even number of samples, it is the mean of the middle two. */
export function median(samples: readonly number[]): number {
  const sorted = samples.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  const upper = sorted[Math.floor(middle)]
  const lower = sorted[Math.ceil(middle) - 1]
  if (upper === undefined || lower === undefined) throw new Error('No samples')
  return (lower + upper) / 2
}

/** The sample below which the given share of the samples lies. */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b)
  const value = sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(sorted.length * share) - 1))]
  if (value === undefined) throw new Error('No samples')
  return value
}

/**
 * The interval that contains the true median with a probability of at least 95 %, whatever the distribution of the
 * samples is. Fewer than six samples cannot give that certainty: then it is the whole range.
 */
export function medianInterval(samples: readonly number[]): [low: number, high: number] {
  const sorted = samples.toSorted((a, b) => a - b)
  const count = sorted.length
  // The true median lies below the sample of rank k with the probability that at most k of `count` coin tosses
  // are heads.
  let probability = 0.5 ** count
  let tail = probability
  let rank = 0
  while (rank + 1 < count / 2) {
    probability *= (count - rank) / (rank + 1)
    if (2 * (tail + probability) > 0.05) break
    tail += probability
    rank += 1
  }
  const [low, high] = [sorted[rank], sorted[count - 1 - rank]]
  if (low === undefined || high === undefined) throw new Error('No samples')
  return [low, high]
}

/** The ratios of two series, one per round. Throws if a round of either measured nothing. */
export function ratios(numerators: readonly number[], denominators: readonly number[]): number[] {
  return numerators.map((value, round) => {
    const ratio = value / (denominators[round] ?? Number.NaN)
    if (Number.isFinite(ratio)) return ratio
    throw new Error(`Round ${round + 1} measured nothing: ${value} / ${denominators[round]}`)
  })
}

/**
 * The slope of a line through the points by Theil and Sen: the median of the slopes between all pairs of points. Up to
 * a quarter of the points may be outliers without an effect.
 */
export function slope(points: ReadonlyArray<{ x: number; y: number }>): number {
  return median(
    points.flatMap((first, index) =>
      points.slice(index + 1).map((second) => (second.y - first.y) / (second.x - first.x)),
    ),
  )
}
