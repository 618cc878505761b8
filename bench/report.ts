// What a run found, as Markdown. Every number of the table comes from samples that were taken in one run.

export interface Bound {
  sense: 'at least' | 'at most'
  value: number
}

export interface Figure {
  /** Who did it: this server, or one of the references. */
  name: string
  unit: string
  /** One for each round. */
  samples: number[]
}

export interface Result {
  work: string
  /** What the number is: a ratio to a reference, or a quantity of its own. */
  measure: string
  /** × for a ratio. */
  unit: string
  /** One for each round. */
  samples: number[]
  /** Left out where there is only something to know. */
  target?: Bound
  figures: Figure[]
}

export interface Setting {
  name: string
  value: string
}

const marks = { met: 'met', missed: '**missed**', none: '–' } as const

/** The middle of the samples; for an even count, the mean of the two in the middle. */
export function median(samples: readonly number[]): number {
  const sorted = samples.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  const upper = sorted[Math.floor(middle)]
  const lower = sorted[Math.ceil(middle) - 1]
  if (upper === undefined || lower === undefined) throw new Error('No samples')
  return (lower + upper) / 2
}

/** Whether the median keeps to the target. */
export function verdict({ samples, target }: Result): keyof typeof marks {
  if (!target) return 'none'
  const found = median(samples)
  return (target.sense === 'at least' ? found >= target.value : found <= target.value) ? 'met' : 'missed'
}

/** The ratio of two series, round by round. */
export function ratios(ours: readonly number[], theirs: readonly number[]): number[] {
  return ours.map((value, round) => value / (theirs[round] ?? Number.NaN))
}

/** A run, as it is kept in JSON. */
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
  const targets = results.map(verdict)
  const met = targets.filter((mark) => mark === 'met').length
  const missed = targets.filter((mark) => mark === 'missed').length
  return `Targets: ${met} met, ${missed} missed. Medians of interleaved rounds.`
}

export function resultsTable(results: readonly Result[]) {
  return table(['Work', 'Measure', 'Target', 'Median', 'Min', 'Max', 'Verdict'], results.map(resultRow))
}

export function figuresTable(results: readonly Result[]) {
  return table(['Work', 'What', 'Median', 'Min', 'Max'], results.flatMap(figureRows))
}

function resultRow(result: Result) {
  const { work, measure, unit, samples, target } = result
  const bound = target
    ? `${target.sense === 'at least' ? '≥' : '≤'} ${quantity(target.value, unit)}`
    : marks.none
  return [work, measure, bound, ...spread(samples, unit), marks[verdict(result)]]
}

function figureRows({ work, figures }: Result) {
  return figures.map(({ name, unit, samples }) => [work, name, ...spread(samples, unit)])
}

function spread(samples: readonly number[], unit: string) {
  return [median(samples), Math.min(...samples), Math.max(...samples)].map((value) => quantity(value, unit))
}

/** Three digits that matter; thousands apart. */
function quantity(value: number, unit: string) {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2
  const text = value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })
  return `${text} ${unit}`
}

function table(head: string[], rows: string[][]) {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}
