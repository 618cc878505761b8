// Renders the kept runs of the benchmark, docs/benchmark/*.json, as Markdown.
import { renderCharts } from '../bench/charts.ts'
import { readHistory, resultKey, settingOf } from '../bench/history.ts'
import {
  conditionsText,
  figuresTable,
  quantity,
  quotability,
  resultsTable,
  settingsTable,
  summary,
  table,
} from '../bench/report.ts'
import { median } from '../bench/statistics.ts'

/** The number of runs in the table of the history. */
const shownRuns = 6

const history = await readHistory()
const latest = history.at(-1)?.run
if (!latest) throw new Error('docs/benchmark contains no run')
const { settings, results } = latest
const withTarget = results.filter(({ target }) => target)

/** The charts of the newest run, written next to it. */
export const charts = await renderCharts(latest)

/** Shows the charts in the README. The service does not serve them, so the guides have none. */
export const chartImages = () =>
  charts.map(({ file, title }) => `![${title}](docs/benchmark/${file})`).join('\n\n')

/** The machine, whether it was quiet enough, and the results that have a target, for the README. */
export const targets = () =>
  [
    `Measured on ${settingOf(latest, 'Machine')}, with Bun ${settingOf(latest, 'Bun')}:`,
    resultsTable(withTarget, results),
    quotability(latest),
  ].join('\n\n')

/** All settings, results and figures, for docs/performance.md. */
export const benchmark = () =>
  [
    settingsTable(settings),
    conditionsText(latest),
    summary(results),
    resultsTable(results),
    figuresTable(results),
  ].join('\n\n')

/** The medians of the results with a target in the kept runs, the newest run last. */
export function benchmarkHistory(): string {
  const shown = history.slice(-shownRuns)
  const head = ['Workload', 'Measure', ...shown.map(({ name }) => name)]
  return table(
    head,
    withTarget.map((result) => [
      result.work,
      result.measure,
      ...shown.map(({ run }) => {
        const kept = run.results.find((each) => resultKey(each) === resultKey(result))
        return kept ? quantity(median(kept.samples), kept.unit) : '–'
      }),
    ]),
  )
}
