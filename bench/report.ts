// The report of a benchmark run, as Markdown. All numbers in it come from samples of a single run.

import { type Conditions, conditionRows, reasonsNotToQuote } from './conditions.ts'
import { median, medianInterval } from './statistics.ts'

export interface Target {
  sense: 'at least' | 'at most'
  value: number
  /** Of all results with the same name here, it is enough that one meets its target. */
  oneOf?: string
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
  /** What a server reached in the same rounds that does, or loads, only what the documents and the stack require. */
  limit?: number[]
  figures: Figure[]
}

export interface Setting {
  name: string
  value: string
}

/** A benchmark run, as stored in `bench.json`. */
export interface Run {
  notes: string[]
  settings: Setting[]
  /** Missing in runs that were recorded before the benchmark measured them. */
  conditions?: Conditions
  results: Result[]
}

/** Units of values that may be zero or negative: memory that a garbage collection has freed, and ratios of it. */
const signedUnits: readonly string[] = ['bytes/socket', '×']

/** Throws if a round measured nothing: its ratios would be 0 or infinite, and the report would count them. */
export function requireMeasured(results: readonly Result[]): void {
  for (const { work, measure, unit, samples, figures } of results) {
    for (const series of [{ name: measure, unit, samples }, ...figures]) {
      const isMeasured = (sample: number) =>
        Number.isFinite(sample) && (sample > 0 || signedUnits.includes(series.unit))
      const round = series.samples.findIndex((sample) => !isMeasured(sample))
      if (series.samples.length > 0 && round === -1) continue
      throw new Error(
        `${work}, ${series.name}: round ${round + 1} of ${series.samples.length} measured nothing`,
      )
    }
  }
}

const verdictLabels = {
  met: 'met',
  missed: '**missed**',
  alternative: 'alternative met',
  none: '–',
} as const

/** Compares the median with the target. `results` are all results of the run. */
export function verdict(result: Result, results: readonly Result[] = []): keyof typeof verdictLabels {
  if (!result.target) return 'none'
  if (meetsTarget(result)) return 'met'
  const { oneOf } = result.target
  const alternatives = results.filter(({ target }) => oneOf !== undefined && target?.oneOf === oneOf)
  return alternatives.some(meetsTarget) ? 'alternative' : 'missed'
}

function meetsTarget({ samples, target }: Pick<Result, 'samples' | 'target'>): boolean {
  if (!target) return false
  const value = median(samples)
  return target.sense === 'at least' ? value >= target.value : value <= target.value
}

/** Whether not even the least that the documents require meets the target. */
const isBeyondLimit = ({ limit, target }: Result): boolean =>
  limit !== undefined && target !== undefined && !meetsTarget({ samples: limit, target })

/** Whether the target is within the interval of the median, so that another run may come to the other verdict. */
function isClose({ samples, target }: Result): boolean {
  if (!target || samples.length < 2) return false
  const [low, high] = medianInterval(samples)
  return low < target.value && target.value < high
}

export function renderReport(run: Run) {
  const { results, settings, notes } = run
  return [
    '# Benchmark',
    notes.join('\n\n'),
    settingsTable(settings),
    conditionsText(run),
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

/** Whether the figures of the run may be quoted, and otherwise why not. */
export function quotability({ conditions }: Run) {
  const reasons = reasonsNotToQuote(conditions)
  return reasons.length === 0
    ? 'The machine was quiet enough: the figures of this run may be quoted.'
    : `**Do not quote the figures of this run.** ${reasons.join(' ')}`
}

/** The conditions of the run, and whether its figures may be quoted. */
export function conditionsText(run: Run) {
  const { conditions } = run
  const conclusion = quotability(run)
  return conditions
    ? `${table(['Condition', 'Value'], conditionRows(conditions))}\n\n${conclusion}`
    : conclusion
}

export function summary(results: readonly Result[]) {
  const verdicts = results.map((result) => verdict(result, results))
  const met = verdicts.filter((each) => each === 'met' || each === 'alternative').length
  const missed = results.filter((_, index) => verdicts[index] === 'missed')
  const beyond = missed.filter(isBeyondLimit).length
  const beyondLimit = beyond > 0 ? `, ${beyond} of them beyond the limit` : ''
  return (
    `Targets: ${met} met, ${missed.length} missed${beyondLimit}. ` +
    'The values are medians of interleaved rounds. ' +
    'A verdict is close if the target lies within the 95 % interval of the median. ' +
    'The limit is what a minimal server reached in the same rounds: ' +
    'one that does only the documented work, or loads only the required libraries and documents.'
  )
}

export function resultsTable(results: readonly Result[], all: readonly Result[] = results) {
  return table(
    ['Workload', 'Measure', 'Target', 'Limit', 'Median', '95 % interval', 'Verdict'],
    results.map((result) => resultRow(result, all)),
  )
}

export function figuresTable(results: readonly Result[]) {
  return table(['Workload', 'Series', 'Median', 'Min', 'Max'], results.flatMap(figureRows))
}

function resultRow(result: Result, all: readonly Result[]) {
  const { work, measure, unit, samples, target, limit } = result
  const targetText = target
    ? `${target.sense === 'at least' ? '≥' : '≤'} ${quantity(target.value, unit)}`
    : verdictLabels.none
  const interval = medianInterval(samples).map((value) => quantity(value, unit))
  const kind = verdict(result, all)
  const verdictText = [
    verdictLabels[kind],
    ...(isClose(result) ? ['close'] : []),
    ...(kind === 'missed' && isBeyondLimit(result) ? ['beyond the limit'] : []),
  ].join(', ')
  return [
    work,
    measure,
    targetText,
    limit ? quantity(median(limit), unit) : verdictLabels.none,
    quantity(median(samples), unit),
    interval.join(' – '),
    verdictText,
  ]
}

function figureRows({ work, figures }: Result) {
  return figures.map(({ name, unit, samples }) => [
    work,
    name,
    ...[median(samples), Math.min(...samples), Math.max(...samples)].map((value) => quantity(value, unit)),
  ])
}

/** Formats a value with three significant digits where it has decimals, and with thousands separators. */
export function quantity(value: number, unit: string) {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2
  const text = value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })
  return `${text} ${unit}`.trimEnd()
}

export function table(head: string[], rows: string[][]) {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}
