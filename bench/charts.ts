// Draws the results of a run as SVG. One file serves light and dark pages: texts and lines take the colour of a style
// that follows the reader's colour scheme.

import type { Spec } from 'vega'
import * as vega from 'vega'
import { compile } from 'vega-lite'
import { type Result, type Run, verdict } from './report.ts'
import { median, medianInterval } from './statistics.ts'

export interface Chart {
  file: string
  /** Also its alternative text. */
  title: string
  svg: string
}

interface Bar {
  /** The text of the vertical axis. */
  group: string
  series: string
  value: number
}

/** The part of a Vega-Lite specification that differs between the charts. Its types are too deep for literals. */
interface ChartSpec {
  data: { values: object[] }
  height: object
  layer: object[]
}

const width = 480
const colors = ['#4c78a8', '#e08a3c', '#4fa59b', '#b279a2', '#d1615d', '#7f7f7f']
const verdictColors = { met: '#3f9a5f', missed: '#d1615d' }
const lineHeight = 15
const barHeight = 12
const style = 'svg{color:#1f2328}@media(prefers-color-scheme:dark){svg{color:#e6edf3}}'

export async function renderCharts({ results }: Run): Promise<Chart[]> {
  const charts: Array<Chart | undefined> = [
    await draw('targets', 'Results relative to their targets', targetsSpec(results)),
    await draw(
      'competitors',
      'Other stacks relative to this server',
      barsSpec(
        competitorBars(results),
        'relative to this server (logarithmic): rates below 1 are slower, times and memory above 1 are worse',
        'log',
      ),
    ),
    await draw(
      'nodes',
      'Several nodes on PostgreSQL, relative to one process on SQLite',
      barsSpec(nodeBars(results), 'relative to one process on SQLite', 'linear'),
    ),
    await draw(
      'growth',
      'Growing data, relative to the smallest',
      barsSpec(growthBars(results), 'rate, relative to the smallest data size', 'linear'),
    ),
  ]
  return charts.filter((chart) => chart !== undefined)
}

async function draw(name: string, title: string, spec: ChartSpec | undefined): Promise<Chart | undefined> {
  if (!spec) return undefined
  const lite = {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title,
    width,
    config: themeConfig(),
    ...spec,
  }
  // Ids are numbered per process: without this, the output depends on the charts that were drawn before.
  vega.resetSVGDefIds()
  const view = new vega.View(vega.parse(compile(lite as Parameters<typeof compile>[0]).spec as Spec), {
    renderer: 'none',
  })
  const svg = await view.toSVG()
  view.finalize()
  return { file: `${name}.svg`, title, svg: `${svg.replace(/<svg[^>]*>/, `$&<style>${style}</style>`)}\n` }
}

/** A dot and an interval for each target. One means that the target is met exactly; more is better. */
function targetsSpec(results: readonly Result[]): ChartSpec | undefined {
  const values = results.flatMap((result) => {
    const { target, samples, work, measure } = result
    if (!target) return []
    const margin = (value: number) =>
      target.sense === 'at least' ? value / target.value : target.value / value
    const interval = medianInterval(samples).map(margin)
    return {
      label: `${work}\n${measure}`.replaceAll('`', ''),
      median: margin(median(samples)),
      low: Math.min(...interval),
      high: Math.max(...interval),
      verdict: verdict(result, results) === 'missed' ? 'missed' : 'met',
    }
  })
  if (values.length === 0) return undefined
  const y = {
    field: 'label',
    type: 'nominal',
    sort: null,
    title: null,
    axis: { labelExpr: "split(datum.label, '\\n')", labelLineHeight: lineHeight },
  }
  const color = {
    field: 'verdict',
    type: 'nominal',
    title: null,
    scale: { domain: Object.keys(verdictColors), range: Object.values(verdictColors) },
  }
  const x = {
    type: 'quantitative',
    title: 'distance to the target: from 1 on it is met, more is better (logarithmic)',
    scale: { type: 'log' },
  }
  return {
    data: { values: [...values] },
    height: { step: 2 * lineHeight + 8 },
    layer: [
      {
        mark: { type: 'rule', color: 'currentColor', strokeDash: [4, 3] },
        encoding: { x: { datum: 1, ...x } },
      },
      {
        mark: { type: 'rule', strokeWidth: 3, opacity: 0.5 },
        encoding: { y, color, x: { field: 'low', ...x }, x2: { field: 'high' } },
      },
      {
        mark: { type: 'point', filled: true, size: 70, opacity: 1 },
        encoding: { y, color, x: { field: 'median', ...x } },
      },
    ],
  }
}

/** Horizontal bars from 1, with one group of bars for each workload. */
function barsSpec(values: readonly Bar[], title: string, scale: 'linear' | 'log'): ChartSpec | undefined {
  if (values.length === 0) return undefined
  const series = [...new Set(values.map((each) => each.series))]
  const shared = {
    y: { field: 'group', type: 'nominal', sort: null, title: null },
    yOffset: { field: 'series', sort: series },
  }
  const color = {
    field: 'series',
    type: 'nominal',
    title: null,
    sort: series,
    scale: { domain: series, range: colors.slice(0, series.length) },
    legend: { orient: 'bottom', columns: 2 },
  }
  const x = { field: 'value', type: 'quantitative', title, scale: { type: scale, nice: true } }
  return {
    data: { values: [...values] },
    height: { step: barHeight, for: 'offset' },
    layer: [
      {
        mark: { type: 'bar' },
        encoding: { ...shared, color, x, ...(scale === 'log' && { x2: { datum: 1 } }) },
      },
      {
        mark: { type: 'rule', color: 'currentColor', strokeDash: [4, 3] },
        encoding: { x: { datum: 1, type: 'quantitative' } },
      },
    ],
  }
}

function competitorBars(results: readonly Result[]): Bar[] {
  return results
    .filter(({ work }) => work.startsWith('Competitors, '))
    .map(({ work, measure, samples }) => ({
      group: work.replace('Competitors, ', ''),
      series: measure.replace(', relative to this server', ''),
      value: median(samples),
    }))
}

function nodeBars(results: readonly Result[]): Bar[] {
  return results
    .filter(({ work, unit }) => work.endsWith(', several nodes') && unit === '×')
    .map(({ work, measure, samples }) => ({
      group: work.replace(', several nodes', ''),
      series: measure.replace(', relative to one process on SQLite', ''),
      value: median(samples),
    }))
}

function growthBars(results: readonly Result[]): Bar[] {
  return results
    .filter(({ work }) => work.endsWith(', growing data'))
    .flatMap(({ work, figures }) =>
      figures.map(({ name, samples }) => ({
        group: work.replace(', growing data', ''),
        series: name,
        value: median(samples) / median(figures[0]?.samples ?? []),
      })),
    )
}

function themeConfig() {
  const text = 'currentColor'
  return {
    background: 'transparent',
    font: 'system-ui, sans-serif',
    view: { stroke: null },
    title: { color: text, anchor: 'start', fontSize: 14 },
    axis: {
      labelColor: text,
      titleColor: text,
      tickColor: text,
      domainColor: text,
      gridColor: text,
      gridOpacity: 0.12,
      // Vega estimates the widths of texts, and would cut off long ones too early.
      labelLimit: 1_000,
      titleFontWeight: 'normal',
    },
    legend: { labelColor: text, titleColor: text, labelLimit: 300 },
  }
}
