import { describe, expect, test } from 'bun:test'
import { median, type Result, renderReport, verdict } from '../../bench/report.ts'
import { parseWrkOutput } from '../../bench/wrk.ts'

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
      '| GET profile | relative to the baseline | ≥ 0.70 × | 0.70 × | 0.50 × | 0.90 × | met |',
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

  test('computes the median, which is the mean of the middle two for an even number of samples', () => {
    expect(median([3, 1, 2])).toBe(2)
    expect(median([4, 1, 2, 3])).toBe(2.5)
    expect(() => median([])).toThrow()
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
