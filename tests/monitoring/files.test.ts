import { expect, test } from 'bun:test'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { YAML } from 'bun'
import { scrape } from '../unit/support/scrape.ts'
import { bearer, startService, temporaryFolder } from '../unit/support/service.ts'
import { alerts, alertsFile, firingAlerts, panels, prometheusFile, runbook } from './support/files.ts'

/** Runs promtool. Returns its exit code, and its output if it failed. */
function promtool(...arguments_: string[]): [exitCode: number, output: string] {
  const { exitCode, stdout, stderr } = Bun.spawnSync(['promtool', ...arguments_])
  return [exitCode, exitCode === 0 ? '' : `${stdout}${stderr}`]
}

/** The names of the metrics that the service declares, and those that Prometheus adds. */
async function metricNames(): Promise<Set<string>> {
  await using service = await startService({ METRICS_PORT: '0' })
  const { token } = await service.account('someone')
  await service.post('/api/chats/send', { message: 'Hello' }, bearer(token))
  const { text } = await scrape(service)
  const names = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].flatMap(([, name = '', type]) =>
    type === 'histogram' ? ['_bucket', '_sum', '_count'].map((suffix) => name + suffix) : [name],
  )
  return new Set(names)
}

/** All metrics of this project have one of these prefixes. */
const metricsOf = (expressions: readonly string[]) =>
  new Set(expressions.flatMap((expression) => expression.match(/\b(parley|process|nodejs)_\w+/g) ?? []))

const panelExpressions = panels.flatMap(({ expressions }) => expressions)
const alertExpressions = alerts.map(({ expr }) => expr)

test('promtool accepts the rules and the configuration', () => {
  expect(promtool('check', 'rules', '--lint=all', '--lint-fatal', alertsFile)).toEqual([0, ''])
  expect(promtool('check', 'config', prometheusFile)).toEqual([0, ''])
})

test('the alerts fire in the situations that they are for', () => {
  const tests = new URL('alerts.test.yaml', import.meta.url).pathname
  expect(promtool('test', 'rules', tests)).toEqual([0, ''])
})

test('every expression of the dashboard is valid', async () => {
  await using folder = await temporaryFolder()
  const file = join(folder.path, 'panels.yaml')
  const rules = panelExpressions.map((expr, index) => ({ record: `panel:${index}`, expr }))
  await writeFile(file, YAML.stringify({ groups: [{ name: 'panels', rules }] }))
  expect(rules.length).toBeGreaterThan(30)
  expect(promtool('check', 'rules', file)).toEqual([0, ''])
})

test('the dashboard and the alerts use only metrics that exist', async () => {
  const existing = await metricNames()
  const used = metricsOf([...panelExpressions, ...alertExpressions])
  expect([...used].filter((name) => !existing.has(name))).toEqual([])
})

test('every metric of the service has a panel', async () => {
  const shown = metricsOf(panelExpressions)
  const base = (name: string) => name.replace(/_(bucket|sum|count)$/, '')
  const shownBases = new Set([...shown].map(base))
  const missing = [...(await metricNames())].filter(
    (name) => name.startsWith('parley_') && !shownBases.has(base(name)),
  )
  expect(missing).toEqual([])
})

test('every metric of an alert has a panel', () => {
  const shown = metricsOf(panelExpressions)
  expect([...metricsOf(alertExpressions)].filter((name) => !shown.has(name))).toEqual([])
})

test('the first panel lists the firing alerts of the rules', () => {
  expect(firingAlerts).toContain('alertstate="firing"')
  expect(alerts.map(({ alert }) => alert).filter((name) => !name.startsWith('Parley'))).toEqual([])
})

test.each([
  ['Free space now', 'ParleyDiskFull'],
  ['Failed commits now', 'ParleyCommitsFail'],
  ['Commit duration now', 'ParleySlowCommits'],
  ['Hashing queue used', 'ParleyLoginFlood'],
  ['Lag now', 'ParleyNodeLags'],
  ['WebSockets used', 'ParleySocketsAtLimit'],
  ['Clock moved', 'ParleyClockJumped'],
])('the panel "%s" turns red at the threshold of %s', (title, name) => {
  const { steps = [] } = panels.find((panel) => panel.title === title) ?? {}
  const { expr = '' } = alerts.find(({ alert }) => alert === name) ?? {}
  const [, comparison, threshold] = / ([<>]) ([\d.]+)/.exec(expr) ?? []
  const colors = steps.map(({ color }) => color)
  expect(colors).toEqual(comparison === '>' ? ['green', 'red'] : ['red', 'green'])
  // Grafana includes the threshold, so that of a rate above zero is a little more than zero.
  expect(steps[1]?.value).toBeCloseTo(Number(threshold), 2)
})

test('a panel that shows one value has colours of its own: the default of Grafana turns red at 80', () => {
  const stats = panels.filter(({ type }) => type === 'stat')
  expect(stats.length).toBeGreaterThan(7)
  expect(stats.filter(({ steps }) => steps === undefined)).toEqual([])
})

test('every alert has a section of the runbook that says what it means and what to do, and vice versa', () => {
  // The first two are not about a single alert.
  const sections = runbook.split(/^## /m).slice(3)
  expect(sections.map((section) => section.split('\n')[0])).toEqual(alerts.map(({ alert }) => alert))
  for (const section of sections) {
    for (const part of ['**Meaning.**', '**Look at**', '**Do.**']) expect(section).toContain(part)
  }
  for (const { alert, annotations } of alerts) {
    expect(annotations.runbook).toBe(`docs/runbook.md#${alert.toLowerCase()}`)
  }
})

test('the runbook names only panels that exist', () => {
  const titles = new Set(panels.map(({ title }) => title))
  const named = [...runbook.matchAll(/(?<!\*)\*([A-Z][^*]+)\*(?!\*)/g)].map(([, title = '']) =>
    title.replaceAll('\n', ' '),
  )
  expect(named.length).toBeGreaterThan(10)
  expect(named.filter((title) => !titles.has(title))).toEqual([])
})
