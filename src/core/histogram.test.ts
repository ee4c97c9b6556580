import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  addHistograms,
  bucketOf,
  countDuration,
  countOf,
  DURATION_BOUNDS,
  HISTOGRAM_CELLS,
  quantile,
  readHistogram,
  subtractHistogram,
} from './histogram.ts'

function histogramOf(milliseconds: readonly number[]) {
  const cells = new Float64Array(HISTOGRAM_CELLS)
  for (const duration of milliseconds) countDuration(cells, 0, duration)
  return readHistogram(cells, 0)
}

test('a duration on a bound falls below it, as Prometheus counts (le)', () => {
  assert.equal(bucketOf(0), 0)
  assert.equal(bucketOf(0.0005), 0)
  assert.equal(bucketOf(0.00051), 1)
  assert.equal(bucketOf(31), DURATION_BOUNDS.length)
})

test('quantiles lie within the bucket that holds them', () => {
  const histogram = histogramOf([...Array.from({ length: 98 }, () => 4), 200, 9000])
  assert.equal(countOf(histogram), 100)
  const median = quantile(histogram, 0.5)!
  assert.ok(median > 0.0025 && median < 0.005, `${median}`)
  const high = quantile(histogram, 0.99)!
  assert.ok(high > 0.1 && high <= 0.25, `${high}`)
  assert.equal(quantile(histogramOf([]), 0.5), undefined)
  assert.equal(quantile(histogramOf([60_000]), 0.5), 30)
})

test('histograms add up, and one look after another leaves what came between', () => {
  const before = histogramOf([1, 2])
  const now = histogramOf([1, 2, 700])
  assert.deepEqual(subtractHistogram(now, before).buckets, histogramOf([700]).buckets)
  assert.equal(countOf(addHistograms(before, now)), 5)
  assert.equal(subtractHistogram(before, now), before, 'began anew')
})
