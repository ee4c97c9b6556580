import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { parse } from 'jsonc-parser'
import { nginxSamples } from '../../../test/nginx-samples.ts'
import { loadText } from '../load.ts'
import { importNginx } from './import.ts'
import type { Note } from './notes.ts'
import type { Directive } from './parse.ts'
import { printPorticoFile } from './print.ts'

for (const sample of nginxSamples) {
  test(`importNginx() reads ${sample.name}`, () => {
    const { value, notes, problems } = importNginx(sample.text, { file: 'site.conf' })
    assert.deepEqual(problems, [])
    assert.deepEqual(JSON.parse(JSON.stringify(value.domains)), sample.domains)
    const worth = notes.filter(({ level }) => level !== 'dropped')
    assert.deepEqual(
      worth.map(({ line, directive, level }) => `${line} ${directive} ${level}`).sort(byLine),
      sample.notes,
    )
  })

  test(`printPorticoFile() writes what Portico reads: ${sample.name}`, () => {
    const { value, notes } = importNginx(sample.text, { file: 'site.conf' })
    const text = printPorticoFile(value, notes)
    const { config, problems } = loadText('portico.jsonc', text)
    assert.deepEqual(problems, [], text)
    assert.notEqual(config, null)
    assert.deepEqual(parse(text), JSON.parse(JSON.stringify(value)))
  })
}

function byLine(a: string, b: string): number {
  return Number.parseInt(a, 10) - Number.parseInt(b, 10) || (a < b ? -1 : 1)
}

test('importNginx() makes the hosts of the example of subdomains', () => {
  const text = readFileSync(new URL('../../../examples/subdomains/nginx.conf', import.meta.url), 'utf8')
  const { value, notes, problems } = importNginx(text, { file: 'nginx.conf' })
  assert.deepEqual(problems, [])
  assert.deepEqual(
    notes.filter(({ level }) => level !== 'dropped'),
    [],
  )
  assert.equal(
    printPorticoFile(value, notes),
    `{
  "$schema": "./node_modules/portico/portico.schema.json",
  "domains": {
    "example.com": {
      "hosts": {
        "@":    { "files": "./public", "compress": true },
        "www":  { "redirect": "https://example.com" },
        "sub1": { "service": 8081, "compress": true },
        "sub2": { "service": 8082, "compress": true },
        "sub3": { "service": 8083, "compress": true }
      }
    }
  }
}
`,
  )
})

test('importNginx() writes 301 as 308, which keeps the method, and other redirects as they are (RFC 9110 §15.4.9)', () => {
  const redirect = (status: number) =>
    importNginx(
      `server { listen 443 ssl; server_name a.example; return ${status} https://b.example$request_uri; }`,
      {
        file: 'a',
      },
    ).value.domains['a.example']?.hosts['@']?.redirect
  for (const status of [301, 308]) assert.equal(redirect(status), 'https://b.example')
  for (const status of [302, 303, 307])
    assert.deepEqual(redirect(status), { to: 'https://b.example', status })
})

const names: readonly (readonly [string, string[]])[] = [
  ['EXAMPLE.com. example.com', ['@']],
  ['m.example.com a-b.example.com 3a.example.com', ['m', 'a-b', '3a']],
  ['-a.example.com a..example.com *a.example.com a.*.example.com ~a.example.com a_b.example.com', []],
  ['10.0.0.1 localhost $hostname _ ""', []],
  [`${'a'.repeat(64)}.example.com`, []],
  ['__proto__.example.com constructor.example.com', ['constructor']],
]

for (const [written, wanted] of names) {
  test(`importNginx() reads names of hosts (RFC 1123 §2.1): ${written}`, () => {
    const { value } = importNginx(`server { server_name ${written}; return 200 a; }`, { file: 'a' })
    assert.deepEqual(Object.keys(value.domains['example.com']?.hosts ?? {}), wanted)
  })
}

const programs: readonly string[] = [
  'location ~ \\.php$ { proxy_pass http://127.0.0.1:81; }',
  'location ~ \\.(php|phar)$ { fastcgi_pass 127.0.0.1:9000; }',
  'location ~ ^/app/ { uwsgi_pass 127.0.0.1:9000; }',
  'index index.php;',
  'try_files $uri /index.php?$args;',
  'location /a/ { } location = /wp-login.php { access_log off; } index index.php;',
]

for (const program of programs) {
  test(`importNginx() does not show the source of programs: ${program}`, () => {
    const { value } = importNginx(`server { server_name a.example; root /srv; ${program} }`, { file: 'a' })
    assert.deepEqual(value.domains['a.example']?.hosts['@'], { respond: { status: 503 } })
  })
}

test('importNginx() bounds bodies by the largest that nginx allowed', () => {
  const { value } = importNginx(
    'client_max_body_size 50m; server { server_name a.example; client_max_body_size 1g; }',
    {
      file: 'a',
    },
  )
  assert.deepEqual(value.limits, { http: { body: '1GiB' } })
})

test('importNginx() reads included files, and notes those it cannot find', () => {
  const files: Record<string, string> = {
    'sites/*.conf': 'server { server_name example.com; include snippets/proxy.conf; include gone.conf; }',
    'snippets/proxy.conf': 'location / { proxy_pass http://127.0.0.1:8081; }',
  }
  const { value, notes } = importNginx('http { include mime.types; include sites/*.conf; }', {
    file: 'nginx.conf',
    resolve: (pattern) => (files[pattern] === undefined ? [] : [{ file: pattern, text: files[pattern] }]),
  })
  assert.deepEqual(JSON.parse(JSON.stringify(value.domains)), {
    'example.com': { hosts: { '@': { service: 8081 } } },
  })
  assert.ok(notes.some(({ file, message }) => file === 'sites/*.conf' && message.includes('gone.conf')))
})

test('importNginx() ends when files include themselves', () => {
  const { notes } = importNginx('include a;', {
    file: 'a',
    resolve: () => [1, 2].map((n) => ({ file: `${n}`, text: 'include a;' })),
  })
  assert.ok(notes.some(({ message }) => message.includes('deep')))
})

test('importNginx() shows a fault of syntax with its line, and keeps what stood before', () => {
  const { problems, value } = importNginx('server { server_name example.com; root /srv;\nlisten 80', {
    file: 'a.conf',
  })
  assert.deepEqual(
    problems.map(({ at }) => at.line),
    [2],
  )
  assert.deepEqual(Object.keys(value.domains), [])
})

test('every directive is carried over or noted', () => {
  const name = fc.constantFrom(
    'server_name',
    'listen',
    'root',
    'alias',
    'index',
    'try_files',
    'return',
    'rewrite',
    'proxy_pass',
    'proxy_set_header',
    'deny',
    'internal',
    'expires',
    'set',
    'auth_basic',
    'fastcgi_pass',
    'include',
    'client_max_body_size',
    'unheard_of',
  )
  const arg = fc.constantFrom(
    'example.com',
    'www.example.com',
    '*.example.com',
    '_',
    '80',
    '443 ssl',
    '301 https://$host$request_uri',
    '444',
    '302 /a',
    '/srv/www',
    '$uri $uri/ =404',
    'http://127.0.0.1:80',
    'http://up/x',
    '^ https://a.example permanent',
    'all',
    '$a b',
    '~x',
  )
  const simple = fc.tuple(name, arg).map(([directive, text]) => `${directive} ${text};`)
  const block = fc.constantFrom(
    'location /',
    'location /a',
    'location = /b',
    'location ~ x',
    'location @x',
    'if ($host = example.com)',
    'map $a $b',
    'upstream up',
  )
  const { body } = fc.letrec<{ body: string }>((tie) => ({
    body: fc
      .array(
        fc.oneof(
          { depthSize: 'small', withCrossShrink: true },
          simple,
          fc.tuple(block, tie('body')).map(([head, text]) => `${head} {\n${text}\n}`),
        ),
        { maxLength: 6 },
      )
      .map((lines) => lines.join('\n')),
  }))
  fc.assert(
    fc.property(fc.array(body, { maxLength: 4 }), (servers) => {
      const text = `${servers.map((server) => `server {\n${server}\n}`).join('\n')}\nunheard_of;`
      const { directives, carried, notes, problems, value } = importNginx(text, { file: 'f' })
      assert.deepEqual(problems, [])
      assert.deepEqual(unaccounted(directives, notes, new Set(carried)), [])
      assert.deepEqual(loadText('f', printPorticoFile(value, notes)).problems, [])
    }),
    { numRuns: 300 },
  )
})

/** Directives that the file does not come from and no note speaks of. */
function unaccounted(
  directives: readonly Directive[],
  notes: readonly Note[],
  carried: ReadonlySet<Directive>,
): string[] {
  return directives.flatMap((directive) => {
    if (carried.has(directive)) return unaccounted(directive.block ?? [], notes, carried)
    const { line } = directive.at
    const isNoted = notes.some((note) => note.line === line && note.directive === directive.name)
    return isNoted ? [] : [`${line} ${directive.name}`]
  })
}

test('importNginx() and printPorticoFile() take any text', () => {
  const piece = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 5 }),
    fc.constantFrom(
      'server',
      ' { ',
      ' } ',
      ';',
      '"',
      "'",
      '\\',
      '$',
      '${',
      '\n',
      'server_name ',
      '__proto__.example.com',
      'listen ',
      'location ',
      'return ',
      '#',
      'content_by_lua_block {',
    ),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const { value, notes, problems } = importNginx(pieces.join(''), { file: 'f' })
      assert.ok(problems.every(({ at }) => at.line > 0))
      assert.deepEqual(parse(printPorticoFile(value, notes)), JSON.parse(JSON.stringify(value)))
    }),
    { numRuns: 1000 },
  )
})
