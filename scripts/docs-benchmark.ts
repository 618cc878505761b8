// What the last benchmark that was kept says: docs/benchmark.json, as `bun run bench` writes it.
import { figuresTable, type Run, resultsTable, settingsTable, summary } from '../bench/report.ts'
import kept from '../docs/benchmark.json'

const { settings, results } = kept as Run

/** What has a target, for those who want it short. */
export const targets = () => resultsTable(results.filter(({ target }) => target))

/** All of it. */
export const benchmark = () =>
  [settingsTable(settings), summary(results), resultsTable(results), figuresTable(results)].join('\n\n')
