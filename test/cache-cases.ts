/**
 * What the cache does, section by section: run by `test/cache-rules.test.ts` over real sockets, and printed as a table in
 * `docs/caching.md`.
 *
 * A line of a request or response is a field. The clock of the cache stands still but for `after`.
 */
export type Step = {
  /** seconds that pass first */
  readonly after?: number
  readonly method?: string
  readonly target?: string
  readonly send?: readonly string[]
  /** what the origin answers when it is asked; content is `one`, `two` and so on, unless said */
  readonly answer?: readonly string[]
  readonly answerStatus?: number
  readonly content?: string
  /** the origin breaks off before it answers */
  readonly isDown?: boolean
  /**
   * where the response comes from: the cache, the origin, the cache after the origin said 304, or the cache
   * because the origin failed */
  readonly from: 'cache' | 'origin' | 'validated' | 'stale'
  readonly status?: number
  readonly gets?: string
  /** field lines that the client must see; a name alone must not be there */
  readonly has?: readonly string[]
  readonly hasNot?: readonly string[]
  /** field lines that the origin must see */
  readonly asked?: readonly string[]
  /** target that the origin must see */
  readonly askedTarget?: string
}

export type CacheCase = { readonly section: string; readonly title: string; readonly steps: readonly Step[] }

const cc = (value: string): string => `Cache-Control: ${value}`
const fresh = cc('max-age=60')
const LM = 'Last-Modified: Sat, 01 Jan 2022 00:00:00 GMT'
const twice = (answer: readonly string[], from: Step['from'], more: Partial<Step> = {}): Step[] => [
  { answer, from: 'origin' },
  { answer, from, after: 1, ...more },
]

/** A table of cases under one section. */
function under(section: string, cases: Readonly<Record<string, readonly Step[]>>): CacheCase[] {
  return Object.entries(cases).map(([title, steps]) => ({ section, title, steps }))
}

export const cacheCases: readonly CacheCase[] = [
  ...under('RFC 9111 §3', {
    'keeps what says how long it is fresh': twice([fresh], 'cache'),
    'keeps no response with no-store': twice([cc('max-age=60, no-store')], 'origin'),
    'keeps no response with private': twice([cc('private, max-age=60')], 'origin'),
    'keeps no response to a request with no-store': [
      { send: [cc('no-store')], answer: [fresh], from: 'origin' },
      { answer: [fresh], from: 'origin' },
    ],
    'keeps no status without a word on freshness that is not heuristic': twice([LM], 'origin', {}).map(
      (step) => ({ ...step, answerStatus: 403, status: 403 }),
    ),
    'keeps an unknown status that says how long it is fresh': twice([fresh], 'cache').map((step) => ({
      ...step,
      answerStatus: 499,
      status: 499,
    })),
  }),
  ...under('RFC 9110 §15.1', {
    'keeps by guess what statuses allow it': [200, 203, 300, 301, 308, 404, 405, 410, 414, 501].flatMap(
      (status): Step[] => [
        { target: `/${status}`, answer: [LM], answerStatus: status, status, from: 'origin' },
        { target: `/${status}`, status, from: 'cache' },
      ],
    ),
    'keeps by guess no others': [201, 202, 302, 303, 307, 400, 403, 500, 502, 503, 504].flatMap(
      (status): Step[] => [
        { target: `/${status}`, answer: [LM], answerStatus: status, status, from: 'origin' },
        { target: `/${status}`, answer: [LM], answerStatus: status, status, from: 'origin' },
      ],
    ),
    'keeps any status that says how long it is fresh': [201, 302, 307, 403, 500, 503].flatMap(
      (status): Step[] => [
        { target: `/${status}`, answer: [fresh], answerStatus: status, status, from: 'origin' },
        { target: `/${status}`, status, from: 'cache' },
      ],
    ),
  }),
  ...under('RFC 9111 §5.2.2.9', {
    'keeps by guess what is public, whatever its status': [
      { answer: [LM, cc('public')], answerStatus: 403, status: 403, from: 'origin' },
      { status: 403, from: 'cache' },
    ],
  }),
  ...under('RFC 9111 §5.2.2.3', {
    'heeds no no-store beside must-understand for a status it knows': twice(
      [cc('max-age=60, no-store, must-understand')],
      'cache',
    ),
    'keeps no status that it does not know with must-understand': twice(
      [cc('max-age=60, must-understand')],
      'origin',
    ).map((step) => ({ ...step, answerStatus: 599, status: 599 })),
  }),
  ...under('RFC 9111 §4', {
    'answers the next who asks': [
      { answer: [fresh], from: 'origin' },
      { from: 'cache', gets: 'one' },
    ],
  }),
  ...under('RFC 9111 §3.1', {
    'stores no field that Connection names': [
      { answer: [fresh, 'Connection: a', 'A: 1', 'B: 2'], from: 'origin' },
      { from: 'cache', has: ['b: 2'], hasNot: ['a'] },
    ],
    'stores no field of a proxy': [
      { answer: [fresh, 'Proxy-Authentication-Info: x'], from: 'origin' },
      { from: 'cache', hasNot: ['proxy-authentication-info'] },
    ],
  }),
  ...under('RFC 9111 §5.2.2.4', {
    'validates what has no-cache each time': [
      { answer: [cc('no-cache, max-age=60'), 'ETag: "a"'], from: 'origin' },
      { answer: ['ETag: "a"'], from: 'validated', asked: ['if-none-match: "a"'] },
    ],
    'leaves out fields that no-cache names, but for the first client': [
      { answer: [fresh, cc('no-cache="a"'), 'A: 1'], from: 'origin', has: ['a: 1'] },
      { from: 'cache', hasNot: ['a'] },
    ],
  }),
  ...under('RFC 9111 §5.2.2.7', {
    'leaves out fields that private names': [
      {
        answer: [fresh, cc('private="set-cookie"'), 'Set-Cookie: a=b'],
        from: 'origin',
        has: ['set-cookie: a=b'],
      },
      { from: 'cache', hasNot: ['set-cookie'] },
    ],
  }),
  ...under('RFC 9111 §3.5', {
    'keeps no answer to Authorization': twice([fresh], 'origin').map((step, i) => ({
      ...step,
      send: i === 0 ? ['Authorization: x'] : [],
    })),
    'keeps it with public': twice([cc('public, max-age=60')], 'cache').map((step, i) => ({
      ...step,
      send: i === 0 ? ['Authorization: x'] : [],
    })),
    'keeps it with s-maxage': twice([cc('s-maxage=60')], 'cache').map((step, i) => ({
      ...step,
      send: i === 0 ? ['Authorization: x'] : [],
    })),
    'keeps it with must-revalidate': twice([cc('max-age=60, must-revalidate')], 'cache').map((step, i) => ({
      ...step,
      send: i === 0 ? ['Authorization: x'] : [],
    })),
  }),
  ...under('RFC 9111 §7.3', {
    'keeps Set-Cookie only with a word on freshness': twice([fresh, 'Set-Cookie: a=b'], 'cache', {
      has: ['set-cookie: a=b'],
    }),
    'keeps no Set-Cookie by guess': twice([LM, 'Set-Cookie: a=b'], 'origin'),
  }),
  ...under('RFC 9111 §4.1', {
    'answers only who selects the same': [
      { send: ['A: 1'], answer: [fresh, 'Vary: A'], from: 'origin', gets: 'one' },
      { send: ['A: 2'], answer: [fresh, 'Vary: A'], from: 'origin', gets: 'two' },
      { send: ['A: 1'], from: 'cache', gets: 'one' },
      { send: ['A: 2'], from: 'cache', gets: 'two' },
      { answer: [fresh, 'Vary: A'], from: 'origin' },
    ],
    'tells apart by all fields of several lines': [
      { send: ['A: 1', 'B: 1'], answer: [fresh, 'Vary: A', 'Vary: , b'], from: 'origin' },
      { send: ['A: 1', 'B: 2'], answer: [fresh, 'Vary: A, B'], from: 'origin' },
      { send: ['B: 1', 'A: 1'], from: 'cache', gets: 'one' },
    ],
    'uses nothing that varies by *': twice([fresh, 'Vary: A, *'], 'origin'),
    'does not mind white space and lines': [
      { send: ['A: 1, 2'], answer: [fresh, 'Vary: A'], from: 'origin' },
      { send: ['A: 1', 'A: 2'], from: 'cache' },
      { send: ['A:  1,2 '], from: 'cache' },
    ],
    'does not mind case and order of languages (RFC 9110 §12.5.4)': [
      { send: ['Accept-Language: en, de'], answer: [fresh, 'Vary: Accept-Language'], from: 'origin' },
      { send: ['Accept-Language: De , EN'], from: 'cache' },
    ],
    'takes codings for the same that name the same': [
      { send: ['Accept-Encoding: gzip, br'], answer: [fresh, 'Vary: Accept-Encoding'], from: 'origin' },
      { send: ['Accept-Encoding: br,gzip'], from: 'cache' },
      { send: ['Accept-Encoding: br'], answer: [fresh], from: 'origin' },
    ],
  }),
  ...under('RFC 9111 §4.2.1', {
    'prefers s-maxage to max-age': twice([cc('max-age=60, s-maxage=1')], 'origin'),
    'prefers max-age to Expires': twice([fresh, 'Expires: 0'], 'cache'),
    'takes the first of two': twice([cc('max-age=1, max-age=60')], 'origin'),
    'takes what is no number for stale': twice([cc('max-age=6O'), LM], 'origin'),
    'reads arguments in quotes': twice([cc('max-age="60"')], 'cache'),
    'reads nothing inside of the quotes of others': twice([cc('x="max-age=60"')], 'origin'),
    'minds no case': twice([cc('MaX-aGe=60')], 'cache'),
    'reads directives of several lines': twice(
      ['Cache-Control: public', 'Cache-Control: max-age=60'],
      'cache',
    ),
    'leaves out what is malformed beside them': twice([cc('max-age=60, =, "x", a=, ,b')], 'cache'),
    'takes a fraction, a sign or a word for stale': ['60.5', '-60', '+60', 'x60', '60x', ''].flatMap(
      (value, i): Step[] => [
        { target: `/${i}`, answer: [cc(`max-age=${value}`), LM], from: 'origin' },
        { target: `/${i}`, answer: [cc(`max-age=${value}`), LM], from: 'origin' },
      ],
    ),
    'heeds a directive inside of a longer list': twice([cc('a="b, c", No-Store , max-age=60')], 'origin'),
    'takes a very large number for a large one': twice([cc('max-age=99999999999')], 'cache', { after: 1e6 }),
  }),
  ...under('RFC 9111 §5.3', {
    'reads Expires against Date': twice(['Date: +0', 'Expires: +60'], 'cache', { after: 59 }),
    'is stale when Expires has come': twice(['Date: +0', 'Expires: +60'], 'origin', { after: 60 }),
    'takes what is no date for the past': twice(['Expires: soon', 'Date: +0'], 'origin'),
    'takes 0 for the past': twice(['Expires: 0', LM], 'origin'),
  }),
  ...under('RFC 9111 §4.2', {
    'reads dates of all three forms': [
      'Thu, 18 Aug 2050 02:01:18 GMT',
      'Thursday, 18-Aug-50 02:01:18 GMT',
      'Thu Aug 18 02:01:18 2050',
    ].flatMap((date, i): Step[] => [
      { target: `/${i}`, answer: [`Expires: ${date}`], from: 'origin' },
      { target: `/${i}`, from: 'cache' },
    ]),
    'minds no case in dates': twice(['Expires: thu, 18 AUG 2050 02:01:18 gmt'], 'cache'),
    'takes another zone than GMT for no date': twice(
      ['Expires: Thu, 18 Aug 2050 02:01:18 UTC', LM],
      'origin',
    ),
  }),
  ...under('RFC 9111 §4.2.2', {
    'guesses a tenth of the time since the last change': [
      { answer: ['Date: +0', 'Last-Modified: -1000'], from: 'origin' },
      { after: 98, from: 'cache' },
      { after: 3, from: 'origin' },
    ],
  }),
  ...under('RFC 9111 §4.2.3', {
    'counts the age that it came with': twice([cc('max-age=60'), 'Age: 59'], 'origin'),
    'counts the time since Date': twice([cc('max-age=60'), 'Date: -59'], 'origin'),
    'counts the time that the response took': [
      { answer: [cc('max-age=60'), 'Age: 30', 'Date: -50'], from: 'origin' },
      { after: 9, from: 'cache', has: ['age: 59'] },
      { after: 1, answer: [fresh], from: 'origin' },
    ],
    'is fresh until the very end': twice([fresh], 'cache', { after: 59, has: ['age: 59'] }),
  }),
  ...under('RFC 9111 §5.1', {
    'says Age, and leaves Date': [
      { answer: [fresh, 'Date: -1', 'Age: 10'], from: 'origin', has: ['age: 10'] },
      { after: 5, from: 'cache', has: ['age: 15', 'date: -1'] },
    ],
    'takes the first of several': twice([fresh, 'Age: 0, 100'], 'cache'),
    'ignores what is no number': ['-100', '1.5', 'x', '100;a=1', ''].flatMap((age, i): Step[] => [
      { target: `/${i}`, answer: [fresh, `Age: ${age}`], from: 'origin' },
      { target: `/${i}`, from: 'cache' },
    ]),
    'takes a very large number for a large one': twice([fresh, 'Age: 2147483649'], 'origin'),
  }),
  ...under('RFC 9111 §4.2.4', {
    'serves stale while the origin is down': twice([cc('max-age=1')], 'stale', {
      after: 10,
      isDown: true,
      has: ['age: 10'],
    }),
    ...Object.fromEntries(
      ['must-revalidate', 'proxy-revalidate', 's-maxage=1'].map((directive) => [
        `serves nothing stale with ${directive}`,
        [
          { answer: [cc(`max-age=1, ${directive}`)], from: 'origin' },
          { after: 10, isDown: true, from: 'origin', status: 502 },
        ] as const,
      ]),
    ),
  }),
  ...under('RFC 9111 §5.2.2.10', {
    'serves nothing stale with s-maxage, unless the response allows it by name': [
      { answer: [cc('s-maxage=1, stale-if-error=60')], from: 'origin' },
      { after: 5, isDown: true, from: 'stale', gets: 'one' },
    ],
  }),
  ...under('RFC 5861 §3', {
    'serves stale while it asks in the background': [
      { answer: [cc('max-age=1, stale-while-revalidate=10')], from: 'origin' },
      { after: 5, answer: [cc('max-age=60')], from: 'cache', gets: 'one' },
      { from: 'cache', gets: 'two' },
    ],
    'but not after that': [
      { answer: [cc('max-age=1, stale-while-revalidate=10')], from: 'origin' },
      { after: 12, answer: [fresh], from: 'origin' },
    ],
  }),
  ...under('RFC 5861 §4', {
    'serves stale for 500, 502, 503 and 504': [
      { answer: [cc('max-age=1, stale-if-error=10')], from: 'origin' },
      ...[500, 502, 503, 504].map((status): Step => {
        return { after: 2, answerStatus: status, from: 'stale', gets: 'one' }
      }),
    ],
    'but not for 501 and 505, which are no errors of a moment': [
      { answer: [cc('max-age=1, stale-if-error=10')], from: 'origin' },
      { after: 2, answerStatus: 501, from: 'origin', status: 501 },
      { after: 2, answerStatus: 505, from: 'origin', status: 505 },
    ],
    'but not after that': [
      { answer: [cc('max-age=1, stale-if-error=10')], from: 'origin' },
      { after: 12, answerStatus: 500, from: 'origin', status: 500 },
    ],
    'but not with must-revalidate': [
      { answer: [cc('max-age=1, stale-if-error=10, must-revalidate')], from: 'origin' },
      { after: 5, answerStatus: 500, from: 'origin', status: 500 },
    ],
    'but not for a 500 without it': [
      { answer: [cc('max-age=1')], from: 'origin' },
      { after: 5, answerStatus: 500, from: 'origin', status: 500 },
    ],
  }),
  ...under('RFC 9111 §4.3.1', {
    'asks with the validators that it has': [
      { answer: [cc('max-age=1'), 'ETag: "a"', LM], from: 'origin' },
      {
        after: 2,
        answer: ['ETag: "a"'],
        from: 'validated',
        gets: 'one',
        asked: ['if-none-match: "a"', `if-modified-since: ${LM.slice(15)}`],
      },
    ],
    'asks for the whole in the place of a client that has it': [
      { send: ['If-None-Match: "x"'], answer: [fresh, 'ETag: "a"'], from: 'origin', status: 200 },
      { from: 'cache' },
    ],
  }),
  ...under('RFC 9111 §4.3.2', {
    'answers 304 from the cache': [
      { answer: [fresh, 'ETag: "a"'], from: 'origin' },
      {
        send: ['If-None-Match: "b", W/"a"'],
        from: 'cache',
        status: 304,
        has: ['etag: "a"', 'cache-control: max-age=60'],
      },
      { send: ['If-None-Match: "b"'], from: 'cache', status: 200 },
    ],
    'compares entity tags weakly, also with commas, and * with any': [
      { answer: [fresh, 'ETag: W/"a,b"'], from: 'origin' },
      ...['W/"a,b"', '"a,b"', '"x", "a,b"', '*', '"x" , W/"a,b" ,'].map((tags): Step => {
        return { send: [`If-None-Match: ${tags}`], from: 'cache', status: 304 }
      }),
      ...['"a"', 'a,b', '"A,B"', 'w/"x"'].map((tags): Step => {
        return { send: [`If-None-Match: ${tags}`], from: 'cache', status: 200 }
      }),
    ],
    'ignores If-Modified-Since that is no date': [
      { answer: [fresh, LM], from: 'origin' },
      { send: ['If-Modified-Since: now'], from: 'cache', status: 200 },
      { send: ['If-Modified-Since: Saturday, 01-Jan-22 00:00:00 GMT'], from: 'cache', status: 304 },
    ],
    'answers 304 after it has validated what the client has': [
      { answer: [cc('max-age=1'), 'ETag: "a"'], from: 'origin' },
      { after: 2, send: ['If-None-Match: "a"'], answer: ['ETag: "a"'], from: 'validated', status: 304 },
    ],
    'looks at If-None-Match first (RFC 9110 §13.1)': [
      { answer: [fresh, 'ETag: "a"', LM], from: 'origin' },
      { send: ['If-None-Match: "b"', `If-Modified-Since: ${LM.slice(15)}`], from: 'cache', status: 200 },
      { send: [`If-Modified-Since: ${LM.slice(15)}`], from: 'cache', status: 304 },
    ],
  }),
  ...under('RFC 9110 §13.1.3', {
    'compares with Date where nothing says when it changed': [
      { answer: [fresh, 'Date: -10', 'Age: 20'], from: 'origin' },
      { send: ['If-Modified-Since: -11'], from: 'cache', status: 200 },
      { send: ['If-Modified-Since: -10'], from: 'cache', status: 304 },
    ],
  }),
  ...under('RFC 9110 §13.2.1', {
    'leaves conditions to the origin for what is not kept': [
      { answer: [cc('no-store'), 'ETag: "a"'], from: 'origin' },
      {
        send: ['If-None-Match: "a"'],
        answer: ['ETag: "a"'],
        answerStatus: 304,
        from: 'origin',
        status: 304,
        asked: ['if-none-match: "a"'],
      },
    ],
    'looks at conditions only where the answer would be 200': [
      { answer: [fresh, 'ETag: "a"'], answerStatus: 404, from: 'origin', status: 404 },
      { send: ['If-None-Match: "a"'], from: 'cache', status: 404 },
    ],
  }),
  ...under('RFC 9111 §4.3.4', {
    'puts what a 304 says into what is stored': [
      { answer: [cc('max-age=1'), 'ETag: "a"', 'A: 1', 'B: 1'], from: 'origin' },
      { after: 2, answer: ['ETag: "a"', cc('max-age=60'), 'A: 2'], from: 'validated', has: ['a: 2', 'b: 1'] },
      { after: 50, from: 'cache', has: ['a: 2', 'b: 1'], gets: 'one' },
    ],
    'drops what is stored when something comes that may not be kept': [
      { answer: [cc('max-age=1'), 'ETag: "a"'], from: 'origin' },
      { after: 2, answer: [cc('no-store')], from: 'origin' },
      { isDown: true, from: 'origin', status: 502 },
    ],
    'believes no 304 about something else, and asks again': [
      { answer: [cc('max-age=1'), 'ETag: "a"'], from: 'origin' },
      { after: 2, answer: [fresh, 'ETag: "b"'], from: 'validated', gets: 'three', has: ['etag: "b"'] },
    ],
    'takes nothing but that it holds from an origin that says this again': [
      { answer: [cc('max-age=1'), 'ETag: "a"'], from: 'origin' },
      {
        after: 2,
        answerStatus: 304,
        answer: [fresh, 'ETag: "b"', 'A: 1'],
        from: 'origin',
        status: 200,
        gets: 'one',
        has: ['etag: "a"'],
        hasNot: ['a'],
      },
      { after: 2, answer: [fresh, 'ETag: "a"'], from: 'validated', gets: 'one' },
    ],
  }),
  ...under('RFC 9111 §3.2', {
    'leaves what the stored content depends on': [
      { answer: [cc('max-age=1'), 'ETag: "a"', 'Content-Encoding: x'], from: 'origin' },
      {
        after: 2,
        answer: ['ETag: "a"', 'Content-Encoding: y', 'Content-Length: 3'],
        from: 'validated',
        has: ['content-encoding: x', 'content-length: 3'],
      },
    ],
    'leaves the entity tag, also a strong one for a weak one': [
      { answer: [cc('max-age=1'), 'ETag: W/"a"'], from: 'origin' },
      { after: 2, answer: ['ETag: "a"'], from: 'validated', has: ['etag: W/"a"'] },
    ],
  }),
  ...under('RFC 9111 §4.3.5', {
    'freshens what is stored by HEAD': [
      { answer: [cc('max-age=1'), 'ETag: "a"'], from: 'origin' },
      {
        after: 2,
        method: 'HEAD',
        answer: [cc('max-age=60'), 'ETag: "a"', 'A: 2'],
        content: 'one',
        from: 'origin',
      },
      { from: 'cache', has: ['a: 2'] },
    ],
    'takes what is stored for stale when HEAD says another version': [
      { answer: [fresh, 'ETag: "a"'], from: 'origin' },
      { method: 'HEAD', send: [cc('no-cache')], answer: [fresh, 'ETag: "b"'], from: 'origin' },
      { answer: [fresh, 'ETag: "b"'], from: 'origin', gets: 'three' },
    ],
    'answers HEAD from what GET stored': [
      { answer: [fresh], from: 'origin' },
      { method: 'HEAD', from: 'cache', has: ['content-length: 3'] },
    ],
  }),
  ...under('RFC 9111 §4.4', {
    ...Object.fromEntries(
      ['POST', 'PUT', 'DELETE', 'PATCH', 'UNHEARD'].map((method) => [
        `drops what ${method} may have changed`,
        [
          { answer: [fresh], from: 'origin' },
          { method, answer: [], from: 'origin' },
          { answer: [fresh], from: 'origin' },
        ] as const,
      ]),
    ),
    'keeps it when the method failed': [
      { answer: [fresh], from: 'origin' },
      { method: 'POST', answerStatus: 500, from: 'origin', status: 500 },
      { from: 'cache' },
    ],
    'keeps it for a safe method (RFC 9110 §9.2.1)': [
      { answer: [fresh], from: 'origin' },
      { method: 'OPTIONS', answer: [], from: 'origin' },
      { from: 'cache' },
    ],
    'drops what Location and Content-Location name': [
      { target: '/a', answer: [fresh], from: 'origin' },
      { target: '/b', answer: [fresh], from: 'origin' },
      {
        method: 'POST',
        target: '/',
        answer: ['Location: a', 'Content-Location: http://example.com/b#x'],
        answerStatus: 201,
        from: 'origin',
        status: 201,
      },
      { target: '/a', answer: [fresh], from: 'origin' },
      { target: '/b', answer: [fresh], from: 'origin' },
    ],
    'drops all that was selected among (RFC 9111 §4.1)': [
      { send: ['A: 1'], answer: [fresh, 'Vary: A'], from: 'origin' },
      { send: ['A: 2'], answer: [fresh, 'Vary: A'], from: 'origin' },
      { method: 'POST', answer: [], from: 'origin' },
      { send: ['A: 1'], answer: [fresh, 'Vary: A'], from: 'origin' },
      { send: ['A: 2'], answer: [fresh, 'Vary: A'], from: 'origin' },
    ],
    'drops it for a redirect too': [
      { answer: [fresh], from: 'origin' },
      { method: 'POST', answer: ['Location: /elsewhere'], answerStatus: 303, status: 303, from: 'origin' },
      { answer: [fresh], from: 'origin' },
    ],
    'but not of another origin': [
      { target: '/a', answer: [fresh], from: 'origin' },
      { method: 'POST', target: '/', answer: ['Location: http://other.example/a'], from: 'origin' },
      { target: '/a', from: 'cache' },
    ],
  }),
  ...under('RFC 9110 §9.3.3', {
    'keeps the answer to POST that is what GET would get': [
      { method: 'POST', target: '/p', answer: [fresh, 'Content-Location: /p'], from: 'origin' },
      { target: '/p', from: 'cache', gets: 'one' },
    ],
  }),
  ...under('RFC 9111 §5.2.1', {
    'heeds no-cache': [
      { answer: [fresh, 'ETag: "a"'], from: 'origin' },
      { send: [cc('no-cache')], answer: ['ETag: "a"'], from: 'validated' },
    ],
    'heeds max-age': [
      { answer: [fresh], from: 'origin' },
      { after: 10, send: [cc('max-age=10')], from: 'cache' },
      { after: 1, send: [cc('max-age=10')], answer: [fresh], from: 'origin' },
    ],
    'heeds min-fresh': [
      { answer: [fresh], from: 'origin' },
      { send: [cc('min-fresh=61')], answer: [fresh], from: 'origin' },
    ],
    'heeds max-age=0': [
      { answer: [fresh, 'ETag: "a"'], from: 'origin' },
      { send: [cc('max-age=0')], answer: ['ETag: "a"'], from: 'validated' },
    ],
    'heeds max-stale of any length, but not against must-revalidate': [
      { target: '/a', answer: [cc('max-age=1')], from: 'origin' },
      { target: '/a', after: 1000, send: [cc('max-stale')], from: 'cache' },
      { target: '/b', answer: [cc('max-age=1, must-revalidate')], from: 'origin' },
      { target: '/b', after: 10, send: [cc('max-stale')], answer: [fresh], from: 'origin' },
    ],
    'leaves what is stored for a request with no-store': [
      { answer: [fresh], from: 'origin', gets: 'one' },
      { send: [cc('no-store, no-cache')], answer: [fresh], from: 'origin', gets: 'two' },
      { from: 'cache', gets: 'one' },
    ],
    'heeds max-stale, where stale is allowed': [
      { answer: [cc('max-age=1')], from: 'origin' },
      { after: 10, send: [cc('max-stale=9')], from: 'cache' },
      { after: 1, send: [cc('max-stale=9')], answer: [fresh], from: 'origin' },
    ],
  }),
  ...under('RFC 9111 §5.2.1.7', {
    'answers 504 to only-if-cached without the origin': [
      { send: [cc('only-if-cached')], from: 'cache', status: 504 },
      { answer: [fresh], from: 'origin' },
      { send: [cc('only-if-cached')], from: 'cache', status: 200 },
    ],
  }),
  ...under('RFC 9111 §5.4', {
    'takes Pragma for no-cache, without Cache-Control': [
      { answer: [fresh], from: 'origin' },
      { send: ['Pragma: no-cache'], answer: [fresh], from: 'origin' },
      { send: ['Pragma: no-cache', cc('x')], from: 'cache' },
    ],
  }),
  ...under('RFC 9111 §3.3', {
    'keeps a part, and answers smaller ones from it': [
      {
        send: ['Range: bytes=2-5'],
        answer: [fresh, 'Content-Range: bytes 2-5/10'],
        answerStatus: 206,
        content: '2345',
        from: 'origin',
        status: 206,
        gets: '2345',
        has: ['content-range: bytes 2-5/10'],
      },
      {
        send: ['Range: bytes=3-4'],
        from: 'cache',
        status: 206,
        gets: '34',
        has: ['content-range: bytes 3-4/10'],
      },
      { answer: [fresh], content: '0123456789', from: 'origin' },
      { send: ['Range: bytes=-1'], from: 'cache', status: 206, gets: '9' },
    ],
    'keeps no part that does not fit its place': [
      {
        send: ['Range: bytes=0-5'],
        answer: [fresh, 'Content-Range: bytes 0-5/10'],
        answerStatus: 206,
        content: '0123',
        from: 'origin',
        status: 206,
      },
      { send: ['Range: bytes=0-1'], answer: [fresh], content: '0123456789', from: 'origin', status: 206 },
    ],
  }),
  ...under('RFC 9111 §3.4', {
    'combines parts of one version': [
      {
        send: ['Range: bytes=0-4'],
        answer: [fresh, 'ETag: "a"', 'Content-Range: bytes 0-4/10'],
        answerStatus: 206,
        content: '01234',
        from: 'origin',
        status: 206,
      },
      {
        send: ['Range: bytes=5-9'],
        answer: [fresh, 'ETag: "a"', 'Content-Range: bytes 5-9/10'],
        answerStatus: 206,
        content: '56789',
        from: 'origin',
        status: 206,
      },
      { from: 'cache', status: 200, gets: '0123456789' },
      { send: ['Range: bytes=4-5'], from: 'cache', status: 206, gets: '45' },
    ],
    'fetches only what is missing': [
      {
        send: ['Range: bytes=0-4'],
        answer: [fresh, 'ETag: "a"', 'Content-Range: bytes 0-4/10'],
        answerStatus: 206,
        content: '01234',
        from: 'origin',
        status: 206,
      },
      {
        answer: [fresh, 'ETag: "a"', 'Content-Range: bytes 5-9/10'],
        answerStatus: 206,
        content: '56789',
        from: 'origin',
        status: 200,
        gets: '0123456789',
        asked: ['range: bytes=5-9', 'if-range: "a"'],
      },
    ],
    'answers several ranges, or that there are none, from parts (RFC 9110 §15.3.7)': [
      {
        send: ['Range: bytes=0-5'],
        answer: [fresh, 'ETag: "a"', 'Content-Range: bytes 0-5/10'],
        answerStatus: 206,
        content: '012345',
        from: 'origin',
        status: 206,
      },
      { send: ['Range: bytes=0-0,5-5'], from: 'cache', status: 206 },
      { send: ['Range: bytes=10-'], from: 'cache', status: 416, has: ['content-range: bytes */10'] },
    ],
    'answers with the whole when If-Range names another version (RFC 9110 §13.1.5)': [
      {
        send: ['Range: bytes=0-9'],
        answer: [fresh, 'ETag: "a"', 'Content-Range: bytes 0-9/10'],
        answerStatus: 206,
        content: '0123456789',
        from: 'origin',
        status: 206,
      },
      { send: ['Range: bytes=1-2', 'If-Range: "b"'], from: 'cache', status: 200, gets: '0123456789' },
    ],
    'combines nothing without a strong validator': [
      {
        send: ['Range: bytes=0-4'],
        answer: [fresh, 'ETag: W/"a"', 'Content-Range: bytes 0-4/10'],
        answerStatus: 206,
        content: '01234',
        from: 'origin',
        status: 206,
      },
      { answer: [fresh], content: '0123456789', from: 'origin', status: 200, gets: '0123456789' },
    ],
  }),
  ...under('RFC 9110 §14.2', {
    'answers ranges from the whole': [
      { answer: [fresh, 'ETag: "a"', 'Content-Type: text/plain'], content: '0123456789', from: 'origin' },
      {
        send: ['Range: bytes=2-3'],
        from: 'cache',
        status: 206,
        gets: '23',
        has: ['content-range: bytes 2-3/10'],
      },
      { send: ['Range: bytes=-3'], from: 'cache', status: 206, gets: '789' },
      { send: ['Range: bytes=20-'], from: 'cache', status: 416, has: ['content-range: bytes */10'] },
      { send: ['Range: bytes=2-3', 'If-Range: "b"'], from: 'cache', status: 200 },
      { send: ['Range: bytes=2-3', 'If-Range: "a"'], from: 'cache', status: 206 },
      { send: ['Range: bytes=0-0,9-9'], from: 'cache', status: 206 },
    ],
  }),
  ...under('RFC 9530 §2', {
    'says the sum of the content with the whole alone': [
      {
        answer: [fresh, 'Content-Digest: sha-256=:AA==:', 'Repr-Digest: sha-256=:AA==:'],
        content: '0123456789',
        from: 'origin',
      },
      { from: 'cache', has: ['content-digest: sha-256=:AA==:', 'repr-digest: sha-256=:AA==:'] },
      ...['bytes=2-3', 'bytes=0-0,9-9'].map((range): Step => {
        const seen = { hasNot: ['content-digest'], has: ['repr-digest: sha-256=:AA==:'] }
        return { send: [`Range: ${range}`], from: 'cache', status: 206, ...seen }
      }),
    ],
    'says no sum of a part with another one': [
      {
        send: ['Range: bytes=2-5'],
        answer: [fresh, 'Content-Range: bytes 2-5/10', 'Content-Digest: sha-256=:AA==:'],
        answerStatus: 206,
        content: '2345',
        from: 'origin',
        status: 206,
        has: ['content-digest: sha-256=:AA==:'],
      },
      { send: ['Range: bytes=3-4'], from: 'cache', status: 206, hasNot: ['content-digest'] },
    ],
  }),
  ...under('RFC 9213 §2.2', {
    'prefers CDN-Cache-Control to all else': twice(
      [cc('no-store'), 'CDN-Cache-Control: max-age=60', 'Expires: 0'],
      'cache',
    ),
    'heeds no-store in it': twice([fresh, 'CDN-Cache-Control: no-store'], 'origin'),
    'passes over one that does not parse': twice(
      [cc('no-store'), 'CDN-Cache-Control: max-age=60, &'],
      'origin',
    ),
    'passes over an empty one': twice([fresh, 'CDN-Cache-Control: '], 'cache'),
    'prefers its own name': twice(
      ['CDN-Cache-Control: no-store', 'Portico-Cache-Control: max-age=60'],
      'cache',
    ),
  }),
  ...under('RFC 9213 §2.1', {
    'heeds private, no-cache and a list of lines': [
      { target: '/a', answer: [fresh, 'CDN-Cache-Control: private'], from: 'origin' },
      { target: '/a', answer: [fresh], from: 'origin' },
      {
        target: '/b',
        answer: [fresh, 'ETag: "b"', 'CDN-Cache-Control: max-age=60', 'CDN-Cache-Control: no-cache'],
        from: 'origin',
      },
      { target: '/b', answer: ['ETag: "b"'], from: 'validated' },
    ],
    'counts the age that it came with': twice(['CDN-Cache-Control: max-age=60', 'Age: 100'], 'origin'),
    'reads ?0 for what is not said, and no capital letters': [
      { target: '/a', answer: ['CDN-Cache-Control: max-age=60, no-store=?0'], from: 'origin' },
      { target: '/a', from: 'cache' },
      { target: '/b', answer: [cc('no-store'), 'CDN-Cache-Control: Max-Age=60'], from: 'origin' },
      { target: '/b', answer: [cc('no-store'), 'CDN-Cache-Control: max-age =60'], from: 'origin' },
      { target: '/b', answer: [fresh], from: 'origin' },
    ],
    'turns no text into a number': twice([fresh, 'CDN-Cache-Control: max-age="60"'], 'origin'),
    'leaves out directives that it does not know, and parameters': twice(
      ['CDN-Cache-Control: x, max-age=60;y'],
      'cache',
    ),
  }),
  ...under('RFC 9211 §2', {
    'says that it is a hit, and how long it stays one': twice([fresh, 'Cache-Status: other; hit'], 'cache', {
      has: ['cache-status: other; hit, portico; hit; ttl=59'],
    }),
  }),
  ...under('RFC 9211 §2.2', {
    'says why it asked, and what came': [
      {
        answer: [fresh],
        from: 'origin',
        has: ['cache-status: portico; fwd=uri-miss; fwd-status=200; ttl=60; stored'],
      },
      {
        send: [cc('no-cache')],
        answer: [fresh],
        from: 'origin',
        has: ['cache-status: portico; fwd=request; fwd-status=200; ttl=60; stored'],
      },
      {
        after: 61,
        answer: [cc('private')],
        from: 'origin',
        has: ['cache-status: portico; fwd=stale; fwd-status=200; detail="private"'],
      },
      { method: 'POST', from: 'origin', has: ['cache-status: portico; fwd=method; fwd-status=200'] },
    ],
    'says no status where the origin gave none': [
      { isDown: true, from: 'origin', status: 502, has: ['cache-status: portico; fwd=uri-miss'] },
      {
        send: [cc('only-if-cached')],
        from: 'cache',
        status: 504,
        has: ['cache-status: portico; detail="request: only-if-cached"'],
      },
    ],
  }),
  ...under('RFC 9875 §3', {
    'drops the groups that an unsafe method names': [
      { target: '/a', answer: [fresh, 'Cache-Groups: "x", "y"'], from: 'origin' },
      { target: '/b', answer: [fresh, 'Cache-Groups: "z"'], from: 'origin' },
      { method: 'POST', target: '/c', answer: ['Cache-Group-Invalidation: "y"'], from: 'origin' },
      { target: '/a', answer: [fresh], from: 'origin' },
      { target: '/b', from: 'cache' },
    ],
  }),
  ...under('RFC 9875 §2', {
    'groups belong to an origin': [
      { answer: [fresh, 'Cache-Groups: "x"'], from: 'origin' },
      { send: ['Host: other.example'], answer: [fresh, 'Cache-Groups: "x"'], from: 'origin' },
      { method: 'POST', target: '/c', answer: ['Cache-Group-Invalidation: "x"'], from: 'origin' },
      { send: ['Host: other.example'], from: 'cache' },
      { answer: [fresh], from: 'origin' },
    ],
    'tells capital letters apart, and reads lists of strings alone': [
      { target: '/a', answer: [fresh, 'Cache-Groups: "X";p=1, "Y"'], from: 'origin' },
      { method: 'POST', target: '/c', answer: ['Cache-Group-Invalidation: "x"'], from: 'origin' },
      { method: 'POST', target: '/c', answer: ['Cache-Group-Invalidation: X'], from: 'origin' },
      { method: 'POST', target: '/c', answer: ['Cache-Group-Invalidation: "X'], from: 'origin' },
      { target: '/a', from: 'cache' },
      { method: 'POST', target: '/c', answer: ['Cache-Group-Invalidation: "Y";q'], from: 'origin' },
      { target: '/a', answer: [fresh], from: 'origin' },
    ],
    'drops nothing for a safe method (RFC 9110 §9.2.1)': [
      { target: '/a', answer: [fresh, 'Cache-Groups: "x"'], from: 'origin' },
      { target: '/b', answer: ['Cache-Group-Invalidation: "x"'], from: 'origin' },
      { method: 'OPTIONS', target: '/b', answer: ['Cache-Group-Invalidation: "x"'], from: 'origin' },
      { target: '/a', from: 'cache' },
    ],
  }),
  ...under('RFC 8246 §2', {
    'validates what is immutable once it is stale': [
      { answer: [cc('max-age=1, immutable'), 'ETag: "a"'], from: 'origin' },
      { after: 2, answer: ['ETag: "a"'], from: 'validated' },
    ],
  }),
  ...under('defences', {
    'keeps no page under the suffix of a file': [
      { target: '/account/x.css', answer: [fresh, 'Content-Type: text/html'], from: 'origin' },
      ...['application/json', 'application/problem+json; charset=utf-8', 'text/xml', ''].map((type): Step => {
        return { target: '/account/x.css', answer: [fresh, `Content-Type: ${type}`], from: 'origin' }
      }),
      { target: '/account/x.css', answer: [fresh, 'Content-Type: text/css'], from: 'origin' },
      { target: '/account/x.css', from: 'cache' },
      { target: '/x.svg?y', answer: [fresh, 'Content-Type: image/svg+xml'], from: 'origin' },
      { target: '/x.svg?y', from: 'cache' },
    ],
    'keeps back fields that are another URI or method to services': [
      {
        send: ['X-Original-URL: /admin', 'X-HTTP-Method-Override: POST'],
        answer: [fresh],
        from: 'origin',
        asked: ['x-original-url', 'x-http-method-override'],
      },
    ],
    'tells schemes, hosts and queries apart': [
      { target: '/?a', answer: [fresh], from: 'origin' },
      { target: '/?b', answer: [fresh], from: 'origin' },
      { target: '/?a', send: ['Host: other.example'], answer: [fresh], from: 'origin' },
    ],
  }),
]
