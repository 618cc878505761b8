import { readFileSync } from 'node:fs'
import { YAML } from 'bun'

const folder = new URL('../../../docs/deploy/', import.meta.url).pathname

export const alertsFile = `${folder}prometheus/alerts.yml`
export const prometheusFile = `${folder}prometheus/prometheus.yml`

interface AlertRule {
  readonly alert: string
  readonly expr: string
  readonly annotations: Readonly<Record<string, string>>
}

/** From this value on, Grafana shows the colour; without a value, below the next one. */
interface Step {
  readonly color: string
  readonly value: number | null
}

interface Panel {
  readonly title: string
  readonly type: string
  readonly targets?: readonly { readonly expr: string }[]
  readonly fieldConfig?: { readonly defaults: { readonly thresholds?: { readonly steps: readonly Step[] } } }
}

const readText = (path: string) => readFileSync(path, 'utf8')

export const alerts = (
  YAML.parse(readText(alertsFile)) as { groups: { rules: readonly AlertRule[] }[] }
).groups.flatMap(({ rules }) => rules)

/** The expressions of the dashboard, with the variables of Grafana replaced by what they usually are. */
export const panels = (
  JSON.parse(readText(`${folder}grafana/dashboard.json`)) as { panels: readonly Panel[] }
).panels.map(({ title, type, targets = [], fieldConfig }) => ({
  title,
  type,
  steps: fieldConfig?.defaults.thresholds?.steps,
  expressions: targets.map(({ expr }) =>
    expr.replaceAll('$__rate_interval', '1m').replaceAll('$instance', '.*'),
  ),
}))

/** The expression of the first panel, which lists the firing alerts. */
export const firingAlerts = panels.find(({ title }) => title === 'Firing alerts')?.expressions[0] as string

/** The colour in which Grafana shows a value. */
export const colorOf = (value: number, steps: readonly Step[]): string | undefined =>
  steps.findLast((step) => step.value === null || value >= step.value)?.color

export const runbook = readText(new URL('../../../docs/runbook.md', import.meta.url).pathname)

/** The rows of the table of situations in the runbook: the alerts that fire, and the panels that are red. */
export const situations = new Map(
  [...runbook.matchAll(/^\| (.*) \| (\[Parley.*) \| (.*) \|$/gm)].map(([, situation = '', alerts, red]) => [
    situation,
    {
      alerts: [...(alerts ?? '').matchAll(/\[(Parley\w+)\]/g)].map(([, name = '']) => name).sort(),
      red: [...(red ?? '').matchAll(/\*([^*]+)\*/g)].map(([, title = '']) => title).sort(),
    },
  ]),
)
