import { describe, expect, test } from 'bun:test'
import { renderCharts } from '../../bench/charts.ts'
import type { Result, Run } from '../../bench/report.ts'

const shared = { unit: '×', samples: [0.5, 0.5, 0.5], figures: [] }
const results: Result[] = [
  { ...shared, work: 'GET profile', measure: 'relative to `Bun`', target: { sense: 'at least', value: 0.4 } },
  { ...shared, work: 'Competitors, GET profile', measure: 'Elysia, relative to this server' },
  {
    ...shared,
    work: 'POST send, several nodes',
    measure: '2 nodes on PostgreSQL, relative to one process on SQLite',
  },
]
const run: Run = { notes: [], settings: [], results }

describe('the charts of a run', () => {
  test('show the results, the competitors and the nodes by name', async () => {
    const charts = new Map((await renderCharts(run)).map(({ file, svg }) => [file, svg]))
    expect([...charts.keys()]).toEqual(['targets.svg', 'competitors.svg', 'nodes.svg'])
    expect(charts.get('targets.svg')).toContain('relative to Bun')
    expect(charts.get('competitors.svg')).toContain('Elysia')
    expect(charts.get('nodes.svg')).toContain('2 nodes on PostgreSQL')
  })

  test('are the same each time, so that the documentation can be checked', async () => {
    expect(await renderCharts(run)).toEqual(await renderCharts(run))
  })

  test('leave out what was not measured', async () => {
    expect(await renderCharts({ ...run, results: [] })).toEqual([])
  })
})
