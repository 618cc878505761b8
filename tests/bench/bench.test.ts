import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { accessSync, constants } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import type { Run } from '../../bench/report.ts'

/** Where wrk is. One that is named in WRK_PATH has to be there. */
function wrkPath(): string | undefined {
  const named = process.env.WRK_PATH
  if (!named) return Bun.which('wrk') ?? undefined
  accessSync(named, constants.X_OK)
  return named
}

const wrk = wrkPath()
if (!wrk) console.warn('No wrk: the benchmark is not run. Install it, or name it in WRK_PATH.')

/** Every work that has a target, by what its line begins with, and how many targets. */
const targets = {
  'GET profile, 64 connections': 3,
  'POST send, 64 connections': 1,
  'POST login, 8 connections': 1,
  'Fan-out, 200 sockets': 2,
  'Fan-out, 10 sockets': 1,
  'Resume of': 2,
  'Memory of one of 1,000 idle sockets': 1,
  'Start, existing database': 1,
  'GET profile, growing data': 1,
  'POST login, growing data': 1,
  'POST send, growing data': 1,
  'Resume, growing data': 1,
  'Delivery, growing sockets': 1,
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
    // Where the hook above ran out of time: it ends what it has started.
    bench.kill('SIGTERM')
    await bench.exited
    await rm(folder, { recursive: true, force: true })
  })

  test('ends well, and says on the screen what it writes into its report', async () => {
    expect(bench.exitCode).toBe(0)
    expect(output).toContain(await Bun.file(join(folder, 'bench.md')).text())
  })

  test.each(Object.entries(targets))('measures %s against %d targets', (work, count) => {
    const found = run.results.filter((result) => result.work.startsWith(work) && result.target)
    expect(found).toHaveLength(count)
  })

  test('has no target that is not listed here', () => {
    const expected = Object.values(targets).reduce((sum, count) => sum + count, 0)
    expect(run.results.filter(({ target }) => target)).toHaveLength(expected)
  })

  test('takes every number from samples that are numbers, and more than nothing', () => {
    for (const { work, samples, figures } of run.results) {
      // In a short run a collection can give back more memory than the sockets have taken.
      const least = work.startsWith('Memory') ? Number.NEGATIVE_INFINITY : 0
      for (const series of [samples, ...figures.map((figure) => figure.samples)]) {
        expect(series.length).toBeGreaterThan(0)
        for (const sample of series) {
          expect(sample).toBeFinite()
          expect(sample).toBeGreaterThan(least)
        }
      }
    }
  })

  test('says on what it ran, and that a quick run is not for quoting', () => {
    expect(run.settings.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['Commit', 'Machine', 'Bun', 'Rounds']),
    )
    expect(run.notes.join()).toContain('quick')
  })
})
