// The report of a benchmark run, as Markdown. All numbers in it come from samples of a single run.

export interface Target {
  sense: 'at least' | 'at most'
  value: number
}

export interface Figure {
  /** What was measured: this server, a baseline or a competitor, and the quantity where it is not obvious. */
  name: string
  unit: string
  /** One sample per round. */
  samples: number[]
}

export interface Result {
  /** The workload. */
  work: string
  /** What the samples are: a ratio to a baseline or a competitor, or an absolute value. */
  measure: string
  /** `×` for a ratio. */
  unit: string
  /** One sample per round. */
  samples: number[]
  /** Results without a target are informative only. */
  target?: Target
  figures: Figure[]
}

export interface Setting {
  name: string
  value: string
}

const verdictLabels = { met: 'met', missed: '**missed**', none: '–' } as const

/** The median of the samples. For an even number of samples, it is the mean of the middle two. */
export function median(samples: readonly number[]): number {
  const sorted = samples.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  const upper = sorted[Math.floor(middle)]
  const lower = sorted[Math.ceil(middle) - 1]
  if (upper === undefined || lower === undefined) throw new Error('No samples')
  return (lower + upper) / 2
}

/** Compares the median with the target. */
export function verdict({ samples, target }: Result): keyof typeof verdictLabels {
  if (!target) return 'none'
  const value = median(samples)
  return (target.sense === 'at least' ? value >= target.value : value <= target.value) ? 'met' : 'missed'
}

/** The ratios of two series, one per round. */
export function ratios(numerators: readonly number[], denominators: readonly number[]): number[] {
  return numerators.map((value, round) => value / (denominators[round] ?? Number.NaN))
}

/** A benchmark run, as stored in `bench.json`. */
export interface Run {
  notes: string[]
  settings: Setting[]
  results: Result[]
}

export function renderReport({ results, settings, notes }: Run) {
  return [
    '# Benchmark',
    notes.join('\n\n'),
    settingsTable(settings),
    summary(results),
    resultsTable(results),
    '## Figures',
    figuresTable(results),
  ]
    .join('\n\n')
    .concat('\n')
}

export function settingsTable(settings: readonly Setting[]) {
  return table(
    ['Setting', 'Value'],
    settings.map(({ name, value }) => [name, value]),
  )
}

export function summary(results: readonly Result[]) {
  const verdicts = results.map(verdict)
  const met = verdicts.filter((each) => each === 'met').length
  const missed = verdicts.filter((each) => each === 'missed').length
  return `Targets: ${met} met, ${missed} missed. The values are medians of interleaved rounds.`
}

export function resultsTable(results: readonly Result[]) {
  return table(['Workload', 'Measure', 'Target', 'Median', 'Min', 'Max', 'Verdict'], results.map(resultRow))
}

export function figuresTable(results: readonly Result[]) {
  return table(['Workload', 'Series', 'Median', 'Min', 'Max'], results.flatMap(figureRows))
}

function resultRow(result: Result) {
  const { work, measure, unit, samples, target } = result
  const targetText = target
    ? `${target.sense === 'at least' ? '≥' : '≤'} ${quantity(target.value, unit)}`
    : verdictLabels.none
  return [work, measure, targetText, ...spread(samples, unit), verdictLabels[verdict(result)]]
}

function figureRows({ work, figures }: Result) {
  return figures.map(({ name, unit, samples }) => [work, name, ...spread(samples, unit)])
}

function spread(samples: readonly number[], unit: string) {
  return [median(samples), Math.min(...samples), Math.max(...samples)].map((value) => quantity(value, unit))
}

/** Formats a value with three significant digits where it has decimals, and with thousands separators. */
function quantity(value: number, unit: string) {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2
  const text = value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })
  return `${text} ${unit}`
}

function table(head: string[], rows: string[][]) {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}
