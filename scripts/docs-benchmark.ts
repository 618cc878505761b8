// Renders docs/benchmark.json, a copy of the results of a `bun run bench`, as Markdown.
import { figuresTable, type Run, resultsTable, settingsTable, summary } from '../bench/report.ts'
import kept from '../docs/benchmark.json'

const { settings, results } = kept as Run

/** The results that have a target, for the README. */
export const targets = () => resultsTable(results.filter(({ target }) => target))

/** All settings, results and figures, for docs/performance.md. */
export const benchmark = () =>
  [settingsTable(settings), summary(results), resultsTable(results), figuresTable(results)].join('\n\n')
