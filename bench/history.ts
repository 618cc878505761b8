// The runs that are kept in docs/benchmark, one file each, and the comparison of a run with them.

import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { quantity, type Result, type Run } from './report.ts'
import { median, medianInterval } from './statistics.ts'

export const historyFolder = join(import.meta.dir, '..', 'docs', 'benchmark')

/** A change for the worse of this size is a regression, if the samples of both runs show it. */
export const regressionLimit = 0.05

export interface KeptRun {
  /** The date and the commit: the file's name without its extension. */
  name: string
  run: Run
}

export interface Comparison {
  result: Result
  before: number
  after: number
  /** The relative change of the median. */
  change: number
  judgement: 'worse' | 'better' | 'same' | 'noise' | 'informative'
}

/** Reads all kept runs, the oldest first. */
export async function readHistory(folder = historyFolder): Promise<KeptRun[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.json')).toSorted()
  return Promise.all(
    files.map(async (file) => ({
      name: file.slice(0, -'.json'.length),
      run: (await Bun.file(join(folder, file)).json()) as Run,
    })),
  )
}

/** Adds a run to the history and returns the name of its file. */
export async function keep(run: Run, folder = historyFolder): Promise<string> {
  const date = settingOf(run, 'Date').slice(0, 16).replace(':', '')
  const file = join(folder, `${date}-${settingOf(run, 'Commit')}.json`)
  await mkdir(folder, { recursive: true })
  await Bun.write(file, `${JSON.stringify(run)}\n`)
  return file
}

export function settingOf({ settings }: Run, name: string): string {
  const value = settings.find((setting) => setting.name === name)?.value
  if (value === undefined) throw new Error(`The run does not state its setting ${name}`)
  return value
}

/** Identifies a result. The name of a row may not change, or its history ends. */
export const resultKey = ({ work, measure, unit }: Result) => [work, measure, unit].join('\n')

/** Compares each result that both runs have. Results without a target have no better direction. */
export function compare(before: Run, after: Run): Comparison[] {
  const earlier = new Map(before.results.map((result) => [resultKey(result), result]))
  return after.results.flatMap((result) => {
    const previous = earlier.get(resultKey(result))
    return previous ? [compareResult(previous, result)] : []
  })
}

function compareResult(previous: Result, result: Result): Comparison {
  const [before, after] = [median(previous.samples), median(result.samples)]
  const change = after / before - 1
  return { result, before, after, change, judgement: judge(previous, result, change) }
}

function judge(previous: Result, result: Result, change: number): Comparison['judgement'] {
  const { target } = result
  if (!target) return 'informative'
  if (Math.abs(change) < regressionLimit) return 'same'
  const [[lowBefore, highBefore], [lowAfter, highAfter]] = [
    medianInterval(previous.samples),
    medianInterval(result.samples),
  ]
  if (lowBefore <= highAfter && lowAfter <= highBefore) return 'noise'
  return change > 0 === (target.sense === 'at least') ? 'better' : 'worse'
}

/** The columns that `compare` and the documentation show of a comparison. */
export function comparisonRow({ result, before, after, change, judgement }: Comparison): string[] {
  const { work, measure, unit } = result
  const sign = change < 0 ? '−' : '+'
  const percent = `${sign}${Math.abs(change * 100).toFixed(1)} %`
  return [work, measure, quantity(before, unit), quantity(after, unit), percent, judgement]
}
