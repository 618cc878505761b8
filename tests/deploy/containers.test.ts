import { expect, test } from 'bun:test'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { StatefulSet } from 'kubernetes-types/apps/v1'
import type { Service } from 'kubernetes-types/core/v1'
import { readConfig } from '../../src/config.ts'
import { openapi } from '../../src/contract/documents.ts'
import { maxRequestMs } from '../../src/server.ts'
import { deployFile } from './support/proxies.ts'

const project = join(import.meta.dir, '../..')
const dockerfile = await Bun.file(join(project, 'Dockerfile')).text()
const { version } = await Bun.file(join(project, 'package.json')).json()
const { drainSeconds } = readConfig({}, [])
/** The time from SIGTERM to the exit of the process. */
const stopSeconds = drainSeconds + maxRequestMs / 1000

async function output(command: string[], cwd = project): Promise<string> {
  const child = Bun.spawn(command, { cwd, stdout: 'pipe', stderr: 'pipe' })
  const texts = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  return (await child.exited) === 0 ? '' : texts.join('')
}

const [service, statefulSet] = Bun.YAML.parse(await deployFile('kubernetes.yaml')) as [Service, StatefulSet]
const pod = statefulSet.spec?.template.spec
const [container] = pod?.containers ?? []

test('the manifest of Kubernetes has no unknown key and no wrong type', async () => {
  // In the project, so that the compiler finds the types.
  await mkdir(join(project, 'reports'), { recursive: true })
  const folder = await mkdtemp(join(project, 'reports', 'kubernetes-'))
  try {
    const program = `import type { StatefulSet } from 'kubernetes-types/apps/v1'
      import type { Service } from 'kubernetes-types/core/v1'
      export const service: Service = ${JSON.stringify(service)}
      export const statefulSet: StatefulSet = ${JSON.stringify(statefulSet)}
      // @ts-expect-error The check notices a misspelled key.
      export const misspelled: StatefulSet = ${JSON.stringify({ ...statefulSet, specification: {} })}`
    const file = join(folder, 'manifest.ts')
    await Bun.write(file, program)
    expect(await output(['bunx', 'tsc', '--noEmit', '--strict', '--skipLibCheck', file])).toBe('')
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('the probes of Kubernetes ask for paths and a port that the service has', () => {
  const probes = [container?.startupProbe, container?.livenessProbe, container?.readinessProbe]
  expect(probes.map((probe) => probe?.httpGet?.path)).toEqual(['/livez', '/livez', '/readyz'])
  for (const probe of probes) {
    expect(Object.keys(openapi['x-service-paths'])).toContain(probe?.httpGet?.path as string)
    expect(probe?.httpGet?.port).toBe('http')
  }
  const exposed = Number(/^EXPOSE (\d+)$/m.exec(dockerfile)?.[1])
  const metrics = container?.env?.find(({ name }) => name === 'METRICS_PORT')?.value
  expect(container?.ports).toEqual([
    { name: 'http', containerPort: exposed },
    { name: 'metrics', containerPort: Number(metrics) },
  ])
  // The metrics are not published.
  expect(service.spec?.ports?.map(({ targetPort }) => targetPort)).toEqual(['http'])
  expect(service.spec?.selector).toEqual(statefulSet.spec?.selector.matchLabels)
  expect(statefulSet.spec?.template.metadata?.labels).toMatchObject(
    statefulSet.spec?.selector.matchLabels ?? {},
  )
})

test('Kubernetes waits until the service has drained, and runs one process per volume as its user', () => {
  const preStop = container?.lifecycle?.preStop?.sleep?.seconds ?? 0
  expect(pod?.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(preStop + stopSeconds)
  expect(statefulSet.spec?.replicas).toBe(1)
  const user = Number(/^USER (\d+):/m.exec(dockerfile)?.[1])
  expect(pod?.securityContext).toMatchObject({ runAsUser: user, runAsGroup: user, fsGroup: user })
  expect(container?.image).toBe(`parley:${version}`)
})

test('Compose waits until the service has drained', async () => {
  const compose = Bun.YAML.parse(await deployFile('compose.yaml')) as {
    services: { parley: { stop_grace_period: string } }
  }
  const { stop_grace_period } = compose.services.parley
  expect(Number.parseInt(stop_grace_period, 10)).toBeGreaterThanOrEqual(stopSeconds)
})

test('the linter of Compose finds nothing', async () => {
  const command = ['bunx', 'dclint', '--max-warnings', '0', join(project, 'docs/deploy/compose.yaml')]
  expect(await output(command)).toBe('')
})
