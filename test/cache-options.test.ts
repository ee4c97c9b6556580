import { describe, test } from 'node:test'
import type { CacheConfig } from '#cache/config.ts'
import type { Step } from './cache-cases.ts'
import { startCache } from './cache-runner.ts'

const MINUTE = 60_000
const fresh = 'Cache-Control: max-age=60'
const LM = 'Last-Modified: Sat, 01 Jan 2022 00:00:00 GMT'

/** A range that is asked for as the slice that it lies in. */
function sliceStep(range: string, of: { place: string; content: string; gets: string }): Step {
  const answer = [fresh, 'ETag: "a"', `Content-Range: bytes ${of.place}`]
  const { content, gets } = of
  return { send: [`Range: ${range}`], answer, answerStatus: 206, content, from: 'origin', status: 206, gets }
}

/** What each option of `cache` does, as a person would try it. */
const cases: [title: string, config: CacheConfig, steps: readonly Step[]][] = [
  [
    'ttl holds where the response says nothing, by status',
    { ttl: { '200': 10 * MINUTE, '4xx': MINUTE, '404': 2 * MINUTE } },
    [
      { target: '/a', from: 'origin' },
      { target: '/a', after: 599, from: 'cache' },
      { target: '/a', after: 1, answer: ['Cache-Control: max-age=1'], from: 'origin' },
      { target: '/a', after: 1, answer: ['Cache-Control: no-store'], from: 'origin' },
      { target: '/b', answerStatus: 404, status: 404, from: 'origin' },
      { target: '/b', after: 119, status: 404, from: 'cache' },
      { target: '/c', answerStatus: 403, status: 403, from: 'origin' },
      { target: '/c', after: 59, status: 403, from: 'cache' },
      { target: '/d', answerStatus: 500, status: 500, from: 'origin' },
      { target: '/d', answerStatus: 500, status: 500, from: 'origin' },
    ],
  ],
  [
    'override holds whatever the response says',
    { override: MINUTE },
    [
      { answer: ['Cache-Control: no-store, private, max-age=0', 'Expires: 0'], from: 'origin' },
      { after: 59, from: 'cache' },
      { after: 1, from: 'origin' },
    ],
  ],
  [
    'key: parameters, cookies and fields that are named count, and no others',
    { key: { query: { drop: ['utm_*'], sort: true }, cookies: ['lang'], headers: ['X-Device'] } },
    [
      {
        target: '/?b=1&a=1&utm_x=1',
        send: ['Cookie: lang=de; s=1', 'X-Device: tv'],
        answer: [fresh],
        from: 'origin',
      },
      { target: '/?a=1&b=1', send: ['Cookie: s=2; lang=de', 'X-Device: tv'], from: 'cache' },
      { target: '/?a=1&b=1', send: ['Cookie: lang=en', 'X-Device: tv'], answer: [fresh], from: 'origin' },
      { target: '/?a=1&b=1', send: ['Cookie: lang=de'], answer: [fresh], from: 'origin' },
      { target: '/?a=1&b=1', method: 'POST', from: 'origin' },
      { target: '/?a=1&b=1', send: ['Cookie: lang=de'], answer: [fresh], from: 'origin' },
    ],
  ],
  [
    'key.query: what does not count does not reach the service either',
    { key: { query: { drop: ['utm_*'] } } },
    [{ target: '/?utm_x=<script>&b=2', answer: [fresh], from: 'origin', askedTarget: '/?b=2' }],
  ],
  [
    'guard false: the service sees all parameters',
    { guard: false, key: { query: 'none' } },
    [{ target: '/?a=1', answer: [fresh], from: 'origin', askedTarget: '/?a=1' }],
  ],
  [
    'ttl of a class: nothing that one request has brought about',
    { ttl: { '4xx': MINUTE, '431': MINUTE } },
    [
      { target: '/a', answerStatus: 400, status: 400, from: 'origin' },
      { target: '/a', answerStatus: 410, status: 410, from: 'origin' },
      { target: '/a', status: 410, from: 'cache' },
      { target: '/b', answerStatus: 431, status: 431, from: 'origin' },
      { target: '/b', status: 431, from: 'cache' },
    ],
  ],
  [
    'slice: any range of what is put together from slices (RFC 9110 §14.2)',
    { slice: 4 },
    [
      sliceStep('bytes=1-2', { place: '0-3/6', content: '0123', gets: '12' }),
      sliceStep('bytes=5-', { place: '4-5/6', content: '45', gets: '5' }),
      { from: 'cache', gets: '012345' },
      { send: ['Range: bytes=2-4'], from: 'cache', status: 206, gets: '234' },
      { send: ['Range: bytes=-3'], from: 'cache', status: 206, gets: '345' },
      { send: ['Range: bytes=0-0,5-5'], from: 'cache', status: 206 },
      { send: ['Range: bytes=1-2', 'If-Range: "b"'], from: 'cache', status: 200, gets: '012345' },
      { send: ['Range: bytes=1-2', 'If-Range: "a"'], from: 'cache', status: 206, gets: '12' },
      { send: ['If-None-Match: "a"'], from: 'cache', status: 304 },
    ],
  ],
  [
    'slice: stale slices are validated, and stand in for a service that is down',
    { slice: 4 },
    [
      sliceStep('bytes=1-2', { place: '0-3/6', content: '0123', gets: '12' }),
      {
        after: 61,
        send: ['Range: bytes=1-2'],
        answer: [fresh, 'ETag: "a"'],
        from: 'validated',
        status: 206,
        gets: '12',
        asked: ['range: bytes=0-3', 'if-none-match: "a"'],
      },
      { after: 59, send: ['Range: bytes=0-0'], from: 'cache', status: 206, gets: '0' },
      { after: 61, send: ['Range: bytes=0-0'], isDown: true, from: 'stale', status: 206, gets: '0' },
    ],
  ],
  [
    'status key: the key, also of what is not kept (RFC 9211 §2.7)',
    { status: 'key', bypass: { headers: ['X-Preview'] } },
    [
      {
        send: ['X-Preview: 1'],
        answer: [fresh],
        from: 'origin',
        has: ['cache-status: portico; fwd=bypass; fwd-status=200; key="http://example.com/"'],
      },
      {
        answer: ['Cache-Control: no-store'],
        from: 'origin',
        has: [
          'cache-status: portico; fwd=uri-miss; fwd-status=200; detail="response: no-store"; key="http://example.com/"',
        ],
      },
    ],
  ],
  [
    'vary.ignore: a field that does not count',
    { vary: { ignore: ['User-Agent'] } },
    [
      { send: ['User-Agent: a'], answer: [fresh, 'Vary: User-Agent'], from: 'origin' },
      { send: ['User-Agent: b'], from: 'cache' },
    ],
  ],
  [
    'stale: as long as the file says, where the response does not',
    { stale: { revalidate: 10_000, error: MINUTE, down: 0 } },
    [
      { target: '/a', answer: ['Cache-Control: max-age=1', LM], from: 'origin', gets: 'one' },
      { target: '/a', after: 5, answer: ['Cache-Control: max-age=1'], from: 'stale', gets: 'one' },
      { target: '/b', answer: ['Cache-Control: max-age=1'], from: 'origin', gets: 'three' },
      { target: '/b', after: 50, answerStatus: 503, from: 'stale', gets: 'three' },
      { target: '/b', after: 50, answerStatus: 503, from: 'origin', status: 503 },
    ],
  ],
  [
    'stale.down 0: nothing is served for an origin that is down',
    { stale: { down: 0 } },
    [
      { answer: ['Cache-Control: max-age=1'], from: 'origin' },
      { after: 5, isDown: true, from: 'origin', status: 502 },
    ],
  ],
  [
    'bypass: by field and by cookie, and what they get is not kept',
    { bypass: { headers: ['X-Preview'], cookies: ['session'] } },
    [
      {
        send: ['X-Preview: 1'],
        answer: [fresh],
        from: 'origin',
        has: ['cache-status: portico; fwd=bypass; fwd-status=200'],
      },
      { answer: [fresh], from: 'origin', gets: 'two' },
      { send: ['Cookie: a=b; session=1'], answer: [fresh], from: 'origin' },
      { send: ['Cookie: a=b'], from: 'cache', gets: 'two' },
    ],
  ],
  [
    'maxSize: what is larger is not kept',
    { maxSize: 4 },
    [
      { answer: [fresh], content: '12345', from: 'origin' },
      { answer: [fresh], content: '1234', from: 'origin' },
      { from: 'cache' },
    ],
  ],
  [
    'setCookie "never", authorized, guard off, status off',
    { setCookie: 'never', authorized: true, guard: false, status: false },
    [
      { target: '/c', answer: [fresh, 'Set-Cookie: a=b'], from: 'origin' },
      { target: '/c', answer: [fresh, 'Set-Cookie: a=b'], from: 'origin', hasNot: ['cache-status'] },
      { target: '/a', send: ['Authorization: x'], answer: [fresh], from: 'origin' },
      { target: '/a', from: 'cache', hasNot: ['cache-status'] },
      { target: '/x.css', answer: [fresh, 'Content-Type: text/html'], from: 'origin' },
      { target: '/x.css', from: 'cache' },
    ],
  ],
  [
    'slice: a seek fetches its slice only, and a conditional request none',
    { slice: 4 },
    [
      {
        send: ['Range: bytes=5-6'],
        answer: [fresh, 'ETag: "a"', 'Content-Range: bytes 4-7/10'],
        answerStatus: 206,
        content: '4567',
        from: 'origin',
        status: 206,
        gets: '56',
        asked: ['range: bytes=4-7'],
      },
      { send: ['Range: bytes=4-7'], from: 'cache', status: 206, gets: '4567' },
      { send: ['Range: bytes=4-', 'If-None-Match: "a"'], from: 'cache', status: 304 },
    ],
  ],
]

describe('options of the cache', () => {
  for (const [title, config, steps] of cases) {
    test(title, async () => {
      const cache = await startCache(config)
      try {
        await cache.run(steps)
      } finally {
        await cache.close()
      }
    })
  }
})
