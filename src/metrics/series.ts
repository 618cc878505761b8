export type Labels = Readonly<Record<string, string>>

/** One value of a scrape. */
export interface Sample {
  readonly labels: Labels
  readonly value: number
  /** The name, if it differs from that of the metric: a histogram has several. */
  readonly metricName?: string
}

/** One metric of a scrape: all samples with the same name. */
export interface Family {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly samples: () => readonly Sample[]
}

const initialCapacity = 16

/**
 * Rows of numbers, one for each combination of label values, in one typed array. Adding to one takes some
 * nanoseconds and allocates nothing; prom-client takes 300 (docs/decisions/metrics.md).
 */
function createRows(names: readonly string[], width: number) {
  let values = new Float64Array(initialCapacity * width)
  const offsets = new Map<string, number>()
  const labels: Labels[] = []

  return {
    /** The offset of the row with these label values. It is added if it does not exist. */
    row(...labelValues: readonly string[]): number {
      const key = labelValues.join('\n')
      const known = offsets.get(key)
      if (known !== undefined) return known
      const offset = labels.length * width
      if (offset >= values.length) {
        const larger = new Float64Array(values.length * 2)
        larger.set(values)
        values = larger
      }
      offsets.set(key, offset)
      labels.push(Object.fromEntries(names.map((name, index) => [name, labelValues[index] ?? ''])))
      return offset
    },
    add(offset: number, amount: number): void {
      values[offset] = (values[offset] as number) + amount
    },
    /** All rows in the order in which they were added. */
    all: () => labels.map((each, index) => ({ labels: each, row: values.subarray(index * width) })),
  }
}

/** A counter with labels. The caller must limit the values of the labels: each combination stays in memory. */
export function createCounter(names: readonly string[] = []) {
  const { row, add, all } = createRows(names, 1)
  return {
    /** Identifies a combination of label values. */
    series: row,
    add: (series: number, amount = 1) => add(series, amount),
    samples: (): Sample[] => all().map(({ labels, row: [value = 0] }) => ({ labels, value })),
  }
}

/** A histogram with labels. @param bounds the upper bounds of the buckets, ascending, without infinity */
export function createHistogram(name: string, bounds: readonly number[], names: readonly string[] = []) {
  const overflow = bounds.length
  const sum = overflow + 1
  const { row, add, all } = createRows(names, sum + 1)
  return {
    series: row,
    observe(series: number, value: number): void {
      let bucket = 0
      while (bucket < overflow && value > (bounds[bucket] as number)) bucket++
      add(series + bucket, 1)
      add(series + sum, value)
    },
    samples: (): Sample[] =>
      all().flatMap(({ labels, row: counts }) => {
        let count = 0
        const buckets = [...bounds, Number.POSITIVE_INFINITY].map((bound, index) => {
          count += counts[index] as number
          const le = bound === Number.POSITIVE_INFINITY ? '+Inf' : String(bound)
          return { labels: { ...labels, le }, value: count, metricName: `${name}_bucket` }
        })
        return [
          ...buckets,
          { labels, value: counts[sum] as number, metricName: `${name}_sum` },
          { labels, value: count, metricName: `${name}_count` },
        ]
      }),
  }
}
