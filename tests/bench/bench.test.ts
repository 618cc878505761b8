import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { accessSync, constants } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import type { Run } from '../../bench/report.ts'
import { skipsPostgres } from '../fixtures/postgres-server.ts'

/** Finds wrk. Throws if WRK_PATH is set but is not an executable file. */
function wrkPath(): string | undefined {
  const configured = process.env.WRK_PATH
  if (!configured) return Bun.which('wrk') ?? undefined
  accessSync(configured, constants.X_OK)
  return configured
}

const wrk = wrkPath()
if (!wrk) console.warn('The benchmark tests are skipped: wrk was not found. Install it, or set WRK_PATH.')

/** The beginning of each workload's name, and its number of targets. */
const targets = {
  'GET profile, 64 connections': 4,
  'POST send, 64 connections': 1,
  'POST login, 8 connections': 1,
  'With metrics, GET profile': 1,
  'With metrics, POST send': 1,
  'Fan-out, 200 sockets': 2,
  'Fan-out, 10 sockets': 1,
  'Resume of': 2,
  'Memory per idle socket': 1,
  'Startup, existing database': 3,
  'GET profile, growing data': 1,
  'POST login, growing data': 1,
  'POST send, growing data': 1,
  'Resume, growing data': 1,
  'Delivery, growing number of sockets': 1,
  'GET profile on PostgreSQL': skipsPostgres ? 0 : 1,
}

describe.skipIf(!wrk)('a quick run of the benchmark', () => {
  let folder: string
  let bench: Bun.Subprocess<'ignore', 'pipe', 'inherit'>
  let output: string
  let run: Run

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'parley-bench-test-'))
    bench = Bun.spawn([process.execPath, 'bench/main.ts', '--quick', '--reports', folder], {
      cwd: resolve(import.meta.dir, '../..'),
      env: { ...process.env, PATH: `${dirname(wrk as string)}:${process.env.PATH}` },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    output = await new Response(bench.stdout).text()
    await bench.exited
    run = await Bun.file(join(folder, 'bench.json')).json()
  })
  afterAll(async () => {
    // If the hook above timed out, the benchmark is still running. On SIGTERM it stops its child processes.
    bench.kill('SIGTERM')
    await bench.exited
    await rm(folder, { recursive: true, force: true })
  })

  test('exits with code 0 and prints the same report that it writes', async () => {
    expect(bench.exitCode).toBe(0)
    expect(output).toContain(await Bun.file(join(folder, 'bench.md')).text())
  })

  test.each(Object.entries(targets))('the number of targets of "%s" is %d', (work, count) => {
    const found = run.results.filter((result) => result.work.startsWith(work) && result.target)
    expect(found).toHaveLength(count)
  })

  test('draws the charts for light and dark pages', async () => {
    const drawn = ['targets', 'competitors', 'growth', ...(skipsPostgres ? [] : ['nodes'])]
    for (const name of drawn) {
      const svg = await Bun.file(join(folder, `${name}.svg`)).text()
      expect(svg).toContain('prefers-color-scheme:dark')
      expect(svg).toContain('currentColor')
    }
  })

  test('measures every competitor on every workload', () => {
    const ours = run.results.filter(({ work }) => work.startsWith('Competitors'))
    const workloads = Map.groupBy(ours, ({ work }) => work)
    expect(workloads.size).toBe(6)
    for (const results of workloads.values()) expect(results).toHaveLength(4)
  })

  test('has no other targets', () => {
    const expected = Object.values(targets).reduce((sum, count) => sum + count, 0)
    expect(run.results.filter(({ target }) => target)).toHaveLength(expected)
  })

  test.each([
    ['GET profile, 64 connections', 2],
    ['POST send, 64 connections', 1],
    ['Fan-out, 200 sockets', 1],
    ['Fan-out, 10 sockets', 1],
    ['Startup, existing database', 2],
  ])('measures the limit of targets of "%s"', (work, count) => {
    const found = run.results.filter(
      ({ limit, target, ...each }) => each.work.startsWith(work) && limit && target,
    )
    expect(found).toHaveLength(count)
  })

  test('has samples for every figure, all of them finite and positive', () => {
    for (const { work, samples, limit = samples, figures } of run.results) {
      // In a short run, garbage collection can free more memory than the sockets use.
      const lowerBound = /^(Competitors, m|M)emory per idle/.test(work) ? Number.NEGATIVE_INFINITY : 0
      for (const series of [samples, limit, ...figures.map((figure) => figure.samples)]) {
        expect(series.length).toBeGreaterThan(0)
        for (const sample of series) {
          expect(sample).toBeFinite()
          expect(sample).toBeGreaterThan(lowerBound)
        }
      }
    }
  })

  test('measures the noise before and after the rows', () => {
    expect(run.conditions?.noise.before).not.toBeEmpty()
    expect(run.conditions?.noise.after).not.toBeEmpty()
    expect(run.conditions?.otherWork).toBeFinite()
    expect(run.conditions?.stolen).toBeFinite()
  })

  test('reports the machine and warns that figures of a quick run are not for quoting', () => {
    expect(run.settings.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['Commit', 'Machine', 'Bun', 'Load generators', 'Rounds']),
    )
    expect(run.notes.join()).toContain('quick')
  })
})

describe('a quick soak', () => {
  test('kills the server twice and finds every acknowledged message exactly once', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'parley-soak-test-'))
    const soak = Bun.spawn([process.execPath, 'bench/soak.ts', '--quick', '--reports', folder], {
      cwd: resolve(import.meta.dir, '../..'),
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    try {
      expect(await soak.exited).toBe(0)
      const { lifetimes, counts, findings } = await Bun.file(join(folder, 'soak.json')).json()
      expect(lifetimes).toHaveLength(3)
      expect(counts.acknowledged).toBeGreaterThan(0)
      expect(counts['frames received']).toBeGreaterThan(0)
      expect(findings).toEqual([])
    } finally {
      soak.kill('SIGTERM')
      await soak.exited
      await rm(folder, { recursive: true, force: true })
    }
  })
})
