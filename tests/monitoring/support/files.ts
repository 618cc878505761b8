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

interface Panel {
  readonly title: string
  readonly targets?: readonly { readonly expr: string }[]
}

const readText = (path: string) => readFileSync(path, 'utf8')

export const alerts = (
  YAML.parse(readText(alertsFile)) as { groups: { rules: readonly AlertRule[] }[] }
).groups.flatMap(({ rules }) => rules)

/** The expressions of the dashboard, with the variables of Grafana replaced by what they usually are. */
export const panels = (
  JSON.parse(readText(`${folder}grafana/dashboard.json`)) as { panels: readonly Panel[] }
).panels.map(({ title, targets = [] }) => ({
  title,
  expressions: targets.map(({ expr }) =>
    expr.replaceAll('$__rate_interval', '1m').replaceAll('$instance', '.*'),
  ),
}))

/** The expression of the first panel, which lists the firing alerts. */
export const firingAlerts = panels.find(({ title }) => title === 'Firing alerts')?.expressions[0] as string

export const runbook = readText(new URL('../../../docs/runbook.md', import.meta.url).pathname)
