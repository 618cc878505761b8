import { expect, test } from 'bun:test'
import { createCounter, createHistogram } from '../../../src/metrics/series.ts'

test('a counter has one value for each combination of labels', () => {
  const counter = createCounter(['color', 'size'])
  const [red, blue] = [counter.series('red', 'small'), counter.series('blue', 'small')]
  counter.add(red)
  counter.add(red, 2)
  counter.add(blue)
  expect(counter.series('red', 'small')).toBe(red)
  expect(counter.samples()).toEqual([
    { labels: { color: 'red', size: 'small' }, value: 3 },
    { labels: { color: 'blue', size: 'small' }, value: 1 },
  ])
})

test('values are kept while the number of combinations grows', () => {
  const counter = createCounter(['index'])
  for (let index = 0; index < 1000; index++) counter.add(counter.series(String(index)), index)
  expect(counter.samples().map(({ value }) => value)).toEqual(
    Array.from({ length: 1000 }, (_, index) => index),
  )
})

test('the buckets of a histogram are cumulative, and include their upper bounds', () => {
  const histogram = createHistogram('duration', [1, 2], ['kind'])
  const series = histogram.series('a')
  for (const value of [0.5, 1, 1.5, 2, 3]) histogram.observe(series, value)
  expect(histogram.samples()).toEqual([
    { labels: { kind: 'a', le: '1' }, value: 2, metricName: 'duration_bucket' },
    { labels: { kind: 'a', le: '2' }, value: 4, metricName: 'duration_bucket' },
    { labels: { kind: 'a', le: '+Inf' }, value: 5, metricName: 'duration_bucket' },
    { labels: { kind: 'a' }, value: 8, metricName: 'duration_sum' },
    { labels: { kind: 'a' }, value: 5, metricName: 'duration_count' },
  ])
})
