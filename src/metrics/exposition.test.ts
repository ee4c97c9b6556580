import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DURATION_BUCKETS } from '#core/histogram.ts'
import { expose } from './exposition.ts'
import { type Family, families } from './families.ts'
import { mergeSamples, type Sample } from './sample.ts'

const buckets = [1, 2, ...Array.from({ length: DURATION_BUCKETS - 3 }, () => 0), 4]
const samples: Sample[] = [
  { family: 'portico_http_requests', labels: ['a"b\\c\nd', '/**', '2xx'], value: 7 },
  { family: 'portico_http_requests', labels: ['e', '/**', '5xx'], value: 1 },
  { family: 'portico_http_connections', labels: [], value: 3 },
  { family: 'portico_config', labels: ['abc'], value: 1 },
  { family: 'portico_origin_response_seconds', labels: ['http://o'], value: { buckets, sum: 12.5 } },
]

test('the text format 0.0.4 names counters with _total and escapes labels', () => {
  const { mediaType, text } = expose(samples)
  assert.equal(mediaType, 'text/plain; version=0.0.4; charset=utf-8')
  const lines = text.split('\n')
  for (const line of [
    '# TYPE portico_http_requests_total counter',
    'portico_http_requests_total{host="a\\"b\\\\c\\nd",route="/**",class="2xx"} 7',
    'portico_http_requests_total{host="e",route="/**",class="5xx"} 1',
    'portico_http_connections 3',
    '# TYPE portico_config_info gauge',
    'portico_config_info{key="abc"} 1',
    '# TYPE portico_origin_response_seconds histogram',
    'portico_origin_response_seconds_bucket{origin="http://o",le="0.0005"} 1',
    'portico_origin_response_seconds_bucket{origin="http://o",le="0.001"} 3',
    'portico_origin_response_seconds_bucket{origin="http://o",le="30"} 3',
    'portico_origin_response_seconds_bucket{origin="http://o",le="+Inf"} 7',
    'portico_origin_response_seconds_sum{origin="http://o"} 12.5',
    'portico_origin_response_seconds_count{origin="http://o"} 7',
  ])
    assert.ok(lines.includes(line), `${line} in\n${text}`)
  assert.equal(lines.filter((line) => line.startsWith('# TYPE portico_http_requests')).length, 1)
  assert.ok(text.endsWith('\n') && !text.includes('# EOF'))
})

test('OpenMetrics names families without _total, knows info and ends with # EOF', () => {
  const { mediaType, text } = expose(samples, 'application/openmetrics-text;version=1.0.0,text/plain;q=0.5')
  assert.equal(mediaType, 'application/openmetrics-text; version=1.0.0; charset=utf-8')
  assert.match(text, /^# TYPE portico_http_requests counter$/m)
  assert.match(text, /^portico_http_requests_total\{host="e"/m)
  assert.match(text, /^# TYPE portico_config info\nportico_config_info\{key="abc"\} 1$/m)
  assert.ok(text.endsWith('\n# EOF\n'))
})

for (const accept of ['', '*/*', 'text/plain', 'application/openmetrics-text;q=0, text/plain']) {
  test(`Accept: ${accept || 'none'} gets the plain text (RFC 9110 §12.5.1)`, () => {
    assert.match(expose(samples, accept).mediaType, /^text\/plain/)
  })
}

test('names follow the conventions of Prometheus', () => {
  for (const [name, { type, help, labels = [] }] of Object.entries<Family>(families)) {
    assert.match(name, /^(portico|process)_[a-z0-9_]+[a-z]$/)
    assert.ok(!/_(total|info|count|sum|bucket)$/.test(name), name)
    assert.match(help, /\.$/)
    assert.ok(labels.every((label) => /^[a-z]+$/.test(label) && label !== 'le'))
    if (type === 'histogram') assert.match(name, /_seconds$/)
  }
})

test('samples of several data planes add up, and what they share is not added', () => {
  const plane = (count: number, memory: number): Sample[] => [
    { family: 'portico_http_requests', labels: ['a', '/**', '2xx'], value: count },
    { family: 'portico_origin_response_seconds', labels: ['o'], value: { buckets, sum: count } },
    { family: 'process_resident_memory_bytes', labels: [], value: memory },
  ]
  const other: Sample = { family: 'portico_http_requests', labels: ['b', '/**', '2xx'], value: 5 }
  const merged = mergeSamples(JSON.parse(JSON.stringify([plane(1, 10), [...plane(2, 20), other]])))
  assert.deepEqual(
    merged.map(({ labels, value }) => [labels[0], typeof value === 'number' ? value : value.sum]),
    [
      ['a', 3],
      ['o', 3],
      [undefined, 20],
      ['b', 5],
    ],
  )
  const histogram = merged[1]!.value
  assert.ok(typeof histogram !== 'number')
  assert.deepEqual(
    histogram.buckets,
    buckets.map((count) => 2 * count),
  )
})
