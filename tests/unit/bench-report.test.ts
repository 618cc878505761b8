import { describe, expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Conditions, reasonsNotToQuote } from '../../bench/conditions.ts'
import { compare, keep, readHistory } from '../../bench/history.ts'
import { lastOf, loadProcessor, onLoadProcessor } from '../../bench/load-processor.ts'
import { type Result, type Run, renderReport, requireMeasured, verdict } from '../../bench/report.ts'
import { interleave } from '../../bench/rounds.ts'
import { median, medianInterval, ratios } from '../../bench/statistics.ts'
import { type HttpLoad, parseWrkOutput, runWrk } from '../../bench/wrk.ts'

const result: Result = {
  work: 'GET profile',
  measure: 'relative to the baseline',
  unit: '×',
  samples: [0.9, 0.5, 0.7],
  target: { sense: 'at least', value: 0.7 },
  figures: [{ name: 'this server', unit: 'requests/s', samples: [9_000, 5_000, 70_000] }],
}

const wrkOutput = `Running 2s test @ http://127.0.0.1:1/
  1 threads and 64 connections
  Latency Distribution
     50%  552.00us
     75%    1.00ms
     90%    1.10ms
     99%    1.52s \n  215709 requests in 2.00s, 40.00MB read
Requests/sec: 107740.67
`

describe('the report of a benchmark run', () => {
  test('shows the target, median, minimum, maximum and verdict of each result', () => {
    const report = renderReport({
      results: [result],
      settings: [{ name: 'Bun', value: '1' }],
      notes: ['A note.'],
    })
    expect(report).toContain(
      '| GET profile | relative to the baseline | ≥ 0.70 × | – | 0.70 × | 0.50 × – 0.90 × | met, close |',
    )
    expect(report).toContain(
      '| GET profile | this server | 9,000 requests/s | 5,000 requests/s | 70,000 requests/s |',
    )
    expect(report).toContain('Targets: 1 met, 0 missed.')
    expect(report).toContain('A note.')
  })

  test('distinguishes met and missed targets of both kinds, and results without a target', () => {
    expect(verdict({ ...result, samples: [0.69] })).toBe('missed')
    expect(verdict({ ...result, samples: [61], target: { sense: 'at most', value: 60 } })).toBe('missed')
    expect(verdict({ ...result, samples: [60], target: { sense: 'at most', value: 60 } })).toBe('met')
    const { target: _, ...withoutTarget } = result
    expect(verdict(withoutTarget)).toBe('none')
  })

  test('accepts a missed target if an alternative is met, and names it', () => {
    const target = { sense: 'at least' as const, value: 0.8, oneOf: 'reads' }
    const [missed, met] = [
      { ...result, target },
      { ...result, samples: [0.9], target },
    ]
    expect(verdict(missed, [missed, met])).toBe('alternative')
    expect(verdict(missed, [missed, result])).toBe('missed')
  })

  test('shows the limit, and says whether a missed target is beyond it', () => {
    const missed = { ...result, samples: [0.6] }
    const results = [
      { ...missed, measure: 'beyond', limit: [0.65, 0.68, 0.71] },
      { ...missed, measure: 'within', limit: [0.7] },
      { ...result, measure: 'met', limit: [0.65] },
      {
        ...missed,
        measure: 'at most',
        samples: [1.5],
        limit: [1.4],
        target: { sense: 'at most' as const, value: 1.3 },
      },
      { ...missed, measure: 'without a target', target: undefined, limit: [0.5] },
    ] as Result[]
    const report = renderReport({ results, settings: [], notes: [] })
    expect(report).toContain('Targets: 1 met, 3 missed, 2 of them beyond the limit.')
    for (const row of [
      'beyond | ≥ 0.70 × | 0.68 × | 0.60 × | 0.60 × – 0.60 × | **missed**, beyond the limit |',
      'within | ≥ 0.70 × | 0.70 × | 0.60 × | 0.60 × – 0.60 × | **missed** |',
      'met | ≥ 0.70 × | 0.65 × | 0.70 × | 0.50 × – 0.90 × | met, close |',
      'at most | ≤ 1.30 × | 1.40 × | 1.50 × | 1.50 × – 1.50 × | **missed**, beyond the limit |',
      'without a target | – | 0.50 × | 0.60 × | 0.60 × – 0.60 × | – |',
    ]) {
      expect(report).toContain(`| GET profile | ${row}`)
    }
  })

  test('computes the median, which is the mean of the middle two for an even number of samples', () => {
    expect(median([3, 1, 2])).toBe(2)
    expect(median([4, 1, 2, 3])).toBe(2.5)
    expect(() => median([])).toThrow()
  })
})

describe('a round that measured nothing', () => {
  test('has no ratio', () => {
    expect(ratios([3, 4], [2, 4])).toEqual([1.5, 1])
    expect(() => ratios([3, 4], [2, 0])).toThrow('Round 2 measured nothing')
    expect(() => ratios([0], [0])).toThrow('Round 1 measured nothing')
    expect(() => ratios([1, 2], [1])).toThrow('Round 2 measured nothing')
  })

  const [figure] = result.figures
  test.each([
    ['a rate of zero', [9_000, 0, 7_000], 2],
    ['an infinite rate', [Number.POSITIVE_INFINITY], 1],
    ['no number', [1, Number.NaN], 2],
    ['no rounds', [], 0],
  ])('fails the row: %s', (_, samples, round) => {
    const results = [{ ...result, figures: [{ name: 'this server', unit: 'requests/s', samples }] }]
    expect(() => requireMeasured(results)).toThrow(
      `GET profile, this server: round ${round} of ${samples.length} measured nothing`,
    )
  })

  test('is not one whose sockets returned memory', () => {
    const memory = { name: figure?.name ?? '', unit: 'bytes/socket', samples: [-3, 0] }
    requireMeasured([{ ...result, samples: [-0.1, 0], figures: [memory] }])
  })

  const load = { path: '/api/auth/login', seconds: 1 } as HttpLoad
  const measured = { requests: 3, perSecond: 3, p50Ms: 1, p99Ms: 2, serverCores: 1 }

  test('is repeated', async () => {
    const outcomes = [{ ...measured, requests: 0 }, measured]
    expect(await runWrk(load, async () => outcomes.shift() ?? measured)).toEqual(measured)
    expect(outcomes).toEqual([])
  })

  test('fails if repetitions do not help', async () => {
    let runs = 0
    const never = async () => {
      runs += 1
      return { ...measured, requests: 0 }
    }
    const failure = await runWrk(load, never).catch((error: Error) => error.message)
    expect(failure).toBe('/api/auth/login: no response within 1 s, 3 times')
    expect(runs).toBe(3)
  })
})

describe('the interval of a median', () => {
  test('leaves out the outermost samples that chance alone explains', () => {
    const samples = Array.from({ length: 20 }, (_, index) => index + 1)
    // With 20 samples, the ranks 6 and 15 are the textbook's.
    expect(medianInterval(samples)).toEqual([6, 15])
  })

  test('is the whole range of few samples', () => {
    expect(medianInterval([3, 1, 2])).toEqual([1, 3])
  })
})

const quiet: Conditions = {
  noise: { before: [0.99, 1, 1.01], after: [1, 1.02, 0.98] },
  otherWork: 0.01,
  stolen: 0,
}

describe('the conditions of a run', () => {
  test('allow quoting on a quiet machine', () => {
    expect(reasonsNotToQuote(quiet)).toEqual([])
  })

  test.each([
    [
      'one of two equal servers is faster',
      { noise: { ...quiet.noise, before: [1.05, 1.04, 1.06] } },
      'differ',
    ],
    ['the rounds vary', { noise: { ...quiet.noise, after: [0.8, 1, 1.2] } }, 'vary'],
    ['the run was cut off', { noise: { ...quiet.noise, after: [] } }, 'not measured'],
    ['other programs run', { otherWork: 0.3 }, 'Other programs'],
    ['the hypervisor is busy', { stolen: 0.1 }, 'hypervisor'],
  ])('forbid quoting if %s', (_, change, reason) => {
    expect(reasonsNotToQuote({ ...quiet, ...change }).join()).toContain(reason)
  })

  test('are stated in the report', () => {
    const run: Run = { notes: [], settings: [], conditions: quiet, results: [result] }
    expect(renderReport(run)).toContain('may be quoted')
    expect(renderReport({ ...run, conditions: { ...quiet, stolen: 0.5 } })).toContain('Do not quote')
  })
})

describe('the history', () => {
  const runOf = (samples: number[]): Run => ({
    notes: [],
    settings: [
      { name: 'Date', value: '2026-01-02T03:04:05.678Z' },
      { name: 'Commit', value: 'abc' },
    ],
    results: [{ ...result, samples }],
  })
  const around = (value: number) =>
    Array.from({ length: 20 }, (_, index) => value * (1 + (index - 10) / 1000))

  test.each([
    ['worse', 0.94],
    ['same', 0.97],
    ['better', 1.06],
  ] as const)('judges a change as %s', (judgement, factor) => {
    expect(compare(runOf(around(1)), runOf(around(factor)))[0]?.judgement).toBe(judgement)
  })

  test('does not judge a change that both runs contain as noise', () => {
    expect(compare(runOf([0.8, 1, 1.2]), runOf([0.7, 0.9, 1.1]))[0]?.judgement).toBe('noise')
  })

  test('keeps runs in the order of their dates', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'parley-history-'))
    try {
      const older = {
        ...runOf([1]),
        settings: [
          { name: 'Date', value: '2025-12-31T23:59' },
          { name: 'Commit', value: 'zzz' },
        ],
      }
      await keep(runOf([2]), folder)
      await keep(older, folder)
      const kept = await readHistory(folder)
      expect(kept.map(({ name }) => name)).toEqual(['2025-12-31T2359-zzz', '2026-01-02T0304-abc'])
      expect(kept[0]?.run).toEqual(older)
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})

describe('the output of wrk', () => {
  test('is parsed into requests, milliseconds and requests per second', () => {
    expect(parseWrkOutput(wrkOutput)).toEqual({
      requests: 215_709,
      perSecond: 107_740.67,
      p50Ms: 0.552,
      p99Ms: 1_520,
    })
  })

  test('is rejected if a response was not successful', () => {
    expect(() => parseWrkOutput(`${wrkOutput}  Non-2xx or 3xx responses: 12\n`)).toThrow(
      'Non-2xx or 3xx responses: 12',
    )
  })
})

test.each([
  ['0-1', '1'],
  ['0', undefined],
  ['3', undefined],
  ['0,4', '4'],
  ['0,4-7', '7'],
  ['0-3,8', '8'],
  ['', undefined],
])('of the processors %p, the load generators get %p', (list, processor) => {
  expect(lastOf(list)).toBe(processor)
})

test.skipIf(loadProcessor === undefined)('a load generator stays on its processor', async () => {
  const command = onLoadProcessor(['grep', 'Cpus_allowed_list', '/proc/self/status'])
  const output = await new Response(Bun.spawn(command).stdout).text()
  expect(output.trim()).toBe(`Cpus_allowed_list:\t${loadProcessor}`)
})

test.each([1, 2, 3, 5])(
  'a round of %d has each measurement once, in a random order in which none follows itself',
  async (count) => {
    const names = Array.from({ length: count }, (_, index) => `${index}`)
    const calls: string[] = []
    const measurements = Object.fromEntries(
      names.map((name): [string, () => Promise<number>] => [name, async () => calls.push(name)]),
    )
    const results = await interleave({ warmUpRounds: 2, rounds: 50 }, measurements)
    for (const name of names) expect(results[name]).toHaveLength(50)
    const rounds = Array.from({ length: 52 }, (_, round) => calls.slice(round * count, (round + 1) * count))
    for (const round of rounds) expect(round.toSorted()).toEqual(names)
    if (count > 1) expect(calls.filter((name, index) => name === calls[index - 1])).toEqual([])
    if (count > 2) expect(new Set(rounds.map((round) => round.join())).size).toBeGreaterThan(2)
  },
)
