import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { YAML } from 'bun'
import { endWithParent } from '../../unit/support/end-with-parent.ts'
import { temporaryFolder } from '../../unit/support/service.ts'
import { alertsFile, colorOf, firingAlerts, panels } from './files.ts'

/** Real minutes would make the tests too long: all durations of the rules are this many times shorter. */
const acceleration = 30

const unitMs: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000 }

const accelerate = (duration: string) =>
  duration.replaceAll(
    /(\d+)([smh])/g,
    (_, count, unit) => `${(count * (unitMs[unit] ?? 0)) / acceleration}ms`,
  )

const accelerateRanges = (text: string) => text.replaceAll(/\[\d+[smh]\]/g, accelerate)

/** The rules of alerts.yml with shorter durations: the ranges in brackets, and `for`. */
async function acceleratedRules(): Promise<string> {
  const text = await readFile(alertsFile, 'utf8')
  return accelerateRanges(text).replaceAll(/(?<=^ +for: )\d+[smh]$/gm, accelerate)
}

/** Starts Prometheus with the rules of the project. @param targets the URLs of the metrics */
export async function startPrometheus(targets: readonly string[]) {
  const folder = await temporaryFolder()
  const interval = accelerate('15s')
  const configuration = {
    global: { scrape_interval: interval, scrape_timeout: interval, evaluation_interval: interval },
    rule_files: ['alerts.yml'],
    scrape_configs: [
      { job_name: 'parley', static_configs: [{ targets: targets.map((url) => new URL(url).host) }] },
    ],
  }
  await writeFile(join(folder.path, 'prometheus.yml'), YAML.stringify(configuration))
  await writeFile(join(folder.path, 'alerts.yml'), await acceleratedRules())
  const child = Bun.spawn(
    [
      'prometheus',
      `--config.file=${join(folder.path, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder.path, 'data')}`,
      '--web.listen-address=127.0.0.1:0',
    ],
    { stdin: 'ignore', stdout: 'ignore', stderr: 'pipe' },
  )
  endWithParent(child)
  const url = await listeningUrl(child.stderr)
  // It listens before it can answer queries.
  while (!(await fetch(`${url}/-/ready`)).ok) await Bun.sleep(20)

  return {
    /** The values of an expression, by their labels. */
    async query(expression: string): Promise<{ labels: Record<string, string>; value: number }[]> {
      const query = accelerateRanges(expression)
      const response = await fetch(`${url}/api/v1/query?${new URLSearchParams({ query })}`)
      const { data, error } = (await response.json()) as {
        data?: { result: { metric: Record<string, string>; value: [number, string] }[] }
        error?: string
      }
      if (!data) throw new Error(`${query}: ${error}`)
      return data.result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }))
    },
    /** The names of the alerts that the first panel of the dashboard shows. */
    async firing(): Promise<string[]> {
      const rows = await this.query(firingAlerts)
      return [...new Set(rows.map(({ labels }) => labels.alertname ?? ''))].sort()
    },
    /** The titles of the panels that have a red value. */
    async red(): Promise<string[]> {
      const titles: string[] = []
      for (const { title, steps, expressions } of panels) {
        if (!steps) continue
        const values = (await Promise.all(expressions.map((each) => this.query(each)))).flat()
        if (values.some(({ value }) => colorOf(value, steps) === 'red')) titles.push(title)
      }
      return titles.sort()
    },
    /** The titles of the panels that have no value. */
    async empty(): Promise<string[]> {
      const titles: string[] = []
      for (const { title, expressions } of panels) {
        const values = (await Promise.all(expressions.map((each) => this.query(each)))).flat()
        if (expressions.length > 0 && values.every(({ value }) => Number.isNaN(value))) titles.push(title)
      }
      return titles
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await child.exited
      await folder[Symbol.asyncDispose]()
    },
  }
}

export type Prometheus = Awaited<ReturnType<typeof startPrometheus>>

/** Reads the log until Prometheus names its address, and discards the rest. */
async function listeningUrl(log: ReadableStream<Uint8Array>): Promise<string> {
  const reader = log.pipeThrough(new TextDecoderStream() as never).getReader()
  let text = ''
  for (;;) {
    const { done, value } = (await reader.read()) as { done: boolean; value?: string }
    if (done) throw new Error(`Prometheus did not start:\n${text}`)
    text += value
    const address = /msg="Listening on" address=(\S+)/.exec(text)?.[1]
    if (address === undefined) continue
    void (async () => {
      while (!(await reader.read()).done);
    })()
    return `http://${address}`
  }
}
