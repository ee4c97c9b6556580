import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { temporaryFolder } from './folder.ts'
import { type Ended, executable, run } from './peers.ts'

const main = join(import.meta.dirname, '../src/main.ts')
const root = temporaryFolder()

let folders = 0

/** A folder of its own for a test, with these files. */
function folderWith(files: Readonly<Record<string, string>> = {}): string {
  const folder = join(root, String(++folders))
  mkdirSync(join(folder, 'home'), { recursive: true })
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}

/** Run `portico` in a folder, without colours, with a home of its own. */
function portico(cwd: string, words: string[], input = ''): Promise<Ended> {
  const env = { HOME: join(cwd, 'home'), NO_COLOR: '1' }
  return run(process.execPath, [main, ...words], { cwd, env, input })
}

const file =
  '{ "address": "203.0.113.7", "domains": { "example.com": { "hosts": { "@": { "service": 8081 } } } } }'

const wrong: [words: string[], said: RegExp][] = [
  [['plann'], /"plann" is no command of portico; did you mean "plan"\?/],
  [['qqqqqq'], /"qqqqqq" is no command of portico\. "portico --help" lists them\./],
  [['import', 'ngin'], /"import ngin" is no command of portico; did you mean "import nginx"\?/],
  [['import'], /portico import zone/],
  [['import', 'zone'], /"portico import zone" wants FILE\.\nUsage: portico import zone FILE/],
  [['import', 'axfr', '192.0.2.1'], /"portico import axfr" wants ZONE\./],
  [['plan', '--config'], /--config wants FILE behind it\./],
  [['plan', '--json=1'], /--json takes no value\./],
  [['plan', '--frob'], /There is no option --frob\.\n/],
  [['--config', 'x', 'plan'], /"--config" stands before the command; options stand behind it/],
  [['import', 'zone', 'missing'], /There is no file missing\./],
  [['plan', '--jsn'], /There is no option --jsn; did you mean --json\?/],
  [['plan', 'x'], /has no use for "x"/],
  [['plan', 'x.jsonc'], /Another file is named so: --config x\.jsonc/],
  [['plan', '-x'], /There is no option -x\./],
  [['start'], /did you mean "up"\?/],
  [['stop'], /A running Portico ends by Ctrl-C or SIGTERM/],
  [['plan', '--config', 'missing'], /There is no file missing\./],
  [['plan', '--config', '.'], /\. is a folder; the Portico file is wanted\./],
  [['completion', 'tcsh'], /There is no script for tcsh/],
]

for (const [words, said] of wrong) {
  test(`portico ${words.join(' ')}: wrong usage is said on stderr`, async () => {
    const { code, stdout, stderr } = await portico(folderWith(), words)
    assert.match(stderr, said)
    assert.equal(code, 2)
    assert.equal(stdout, '')
  })
}

test('an older Node is told which one is wanted, and where there is one', async () => {
  const older =
    "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.20.2' } })"
  const words = ['--import', `data:text/javascript,${encodeURIComponent(older)}`]
  const bin = join(import.meta.dirname, '../src/bin.ts')
  const { code, stderr } = await run(process.execPath, [...words, bin, '--version'])
  assert.equal(code, 1)
  assert.match(stderr, /^portico: This is Node 20\.20\.2 \(.*\); Node 24 or newer is wanted\..*\n$/)
})

test('portico says how it is used', async () => {
  const helps = [
    ['--help'],
    ['import', '--help'],
    ['help', 'import', 'zone'],
    ['export', '-h'],
    ['plan', '-h'],
  ]
  for (const words of helps) {
    const { code, stdout } = await portico(folderWith(), words)
    assert.equal(code, 0, words.join(' '))
    assert.match(stdout, /^Usage: portico/m)
  }
})

test('a reader that has seen enough is no fault: portico plan | head', async () => {
  const hosts = Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`h${i}`, { service: 8081 }]))
  const folder = folderWith({
    'portico.jsonc': JSON.stringify({ address: '203.0.113.7', domains: { 'example.com': { hosts } } }),
  })
  const child = spawn(process.execPath, [main, 'plan', '--json'], { cwd: folder })
  let said = ''
  child.stderr.on('data', (part) => (said += part))
  child.stdout.once('data', () => child.stdout.destroy())
  const [code] = await once(child, 'close')
  assert.equal(said, '')
  assert.equal(code, 0)
})

test('a disk that is full is said in one line: portico plan > FILE', {
  skip: !existsSync('/dev/full') && 'needs /dev/full',
}, async () => {
  const folder = folderWith({ 'portico.jsonc': file })
  const child = spawn(process.execPath, [main, 'plan'], {
    cwd: folder,
    stdio: ['ignore', openSync('/dev/full', 'w'), 'pipe'],
  })
  let said = ''
  child.stderr?.on('data', (part) => (said += part))
  const [code] = await once(child, 'close')
  assert.match(said, /^portico: Cannot write the output: ENOSPC.*\n$/)
  assert.equal(code, 1)
})

test('portico init --yes writes a file that portico check accepts', async () => {
  const folder = folderWith()
  const words = [
    '--domain',
    'shop.example',
    '--address',
    '203.0.113.7',
    '--service',
    'api=8081',
    '--service',
    'app=node server.js',
  ]
  const made = await portico(folder, ['init', '--yes', ...words])
  assert.equal(made.code, 0, made.stderr)
  assert.match(made.stdout, /portico up --dev/)
  const checked = await portico(folder, ['check'])
  assert.equal(checked.stdout, 'portico.jsonc: 4 hosts, 1 zone; no problems\n')
  const again = await portico(folder, ['init', '--yes'])
  assert.equal(again.code, 1)
  assert.match(again.stderr, /portico\.jsonc stands already/)
  const forced = await portico(folder, ['init', '--yes', '--force', '--address', '203.0.113.7'])
  assert.equal(forced.code, 0, forced.stderr)
  assert.match(readFileSync(join(folder, 'portico.jsonc'), 'utf8'), /"example\.com": \{/)
})

// lines on stdin, and what is said when nothing is written
const answers: [what: string, input: string, fault?: RegExp][] = [
  [
    'all answers',
    'example.org\nme@example.org\n203.0.113.9 2001:db8::9\n./site\napi=8081\napp=node x.js\n\n',
  ],
  [
    'no empty line at the end',
    'example.org\nme@example.org\n203.0.113.9,2001:db8::9\n./site\napi=8081\napp=node x.js',
  ],
  ['no line', '', /No line is left to answer "Domain"\. With --yes nothing is asked\./],
  ['no mail address', 'example.org\nme\n', /"me" is no mail address/],
  ['no address', 'example.org\n\n203.0.113\n', /"203\.0\.113" is no address/],
  ['two hosts of one name', 'example.org\n\n203.0.113.9\n\napi=1\napi=2\n', /Two things would answer "api"/],
  ['two sites of the domain', 'example.org\n\n203.0.113.9\n./site\n@=1\n', /Two things would answer "@"/],
]

for (const [what, input, fault] of answers) {
  test(`portico init reads answers line by line where no terminal is: ${what}`, async () => {
    const folder = folderWith()
    const { code, stderr } = await portico(folder, ['init'], input)
    assert.equal(existsSync(join(folder, 'portico.jsonc')), fault === undefined, stderr)
    if (fault !== undefined) {
      assert.match(stderr, fault)
      assert.equal(code, 2)
      return
    }
    const { stdout } = await portico(folder, ['plan', '--json'])
    const { dns, http } = JSON.parse(stdout)
    assert.deepEqual(
      http.hosts.map(({ name }: { name: string }) => name),
      ['example.org', 'www.example.org', 'api.example.org', 'app.example.org'],
    )
    const apex = dns.zones[0].rrsets.filter(({ owner }: { owner: string }) => owner === 'example.org.')
    assert.deepEqual(apex.flatMap(({ data }: { data: string[] }) => data).sort(), [
      '1 . alpn=h2 ipv4hint=203.0.113.9 ipv6hint=2001:db8::9',
      '2001:db8::9',
      '203.0.113.9',
      'ns1.example.org.',
    ])
  })
}

test('portico import nginx follows includes from the folder of the file, and says what it could not carry over', async () => {
  const folder = folderWith({
    'nginx.conf': 'http {\n  include sites/*.conf;\n  lua_shared_dict x 1m;\n}\n',
  })
  mkdirSync(join(folder, 'sites'))
  const server = (name: string, port: number): string =>
    `server { listen 443 ssl; server_name ${name}; location / { proxy_pass http://127.0.0.1:${port}; } }`
  writeFileSync(join(folder, 'sites', 'b.conf'), server('b.example.com', 8082))
  writeFileSync(join(folder, 'sites', 'a.conf'), server('a.example.com', 8081))
  const { code, stdout, stderr } = await portico(folder, [
    'import',
    'nginx',
    'nginx.conf',
    '--output',
    'portico.jsonc',
  ])
  assert.equal(code, 0, stderr)
  assert.equal(stdout, '')
  assert.match(stderr, /^nginx\.conf:3 not understood lua_shared_dict\n {2}\S/m)
  const checked = await portico(folder, ['check', '--json'])
  assert.equal(JSON.parse(checked.stdout).ok, true, checked.stdout)
  const json = await portico(folder, ['import', 'nginx', 'nginx.conf', '--json'])
  const hosts = { a: { service: 8081 }, b: { service: 8082 } }
  assert.deepEqual(JSON.parse(json.stdout).file.domains, { 'example.com': { hosts } })
  const again = await portico(folder, ['import', 'nginx', 'nginx.conf', '--output', 'portico.jsonc'])
  assert.equal(again.code, 1)
  assert.match(again.stderr, /portico\.jsonc stands already/)
})

test('portico import nginx ends with 1 where the syntax has a fault', async () => {
  const { code, stderr } = await portico(folderWith({ 'n.conf': 'server {\n' }), [
    'import',
    'nginx',
    'n.conf',
  ])
  assert.equal(code, 1)
  assert.match(stderr, /^n\.conf:1:\d+ error import\/nginx-syntax\n/)
})

const zone = '$TTL 1h\n@ SOA ns1 admin 1 2h 1h 2w 5m\n@ NS ns1.other.example.\n$INCLUDE more\n'

test('portico import zone includes regular files from beside the file, and names the domain after it', async () => {
  const folder = folderWith({ 'example.com.zone': zone, more: 'www A 203.0.113.8\n' })
  const { code, stdout, stderr } = await portico(root, [
    'import',
    'zone',
    join(folder, 'example.com.zone'),
    '--json',
  ])
  assert.equal(code, 0, stderr)
  assert.deepEqual(JSON.parse(stdout).file.domains, {
    'example.com': { ttl: '1h', records: { '@': { NS: 'ns1.other.example' }, www: { A: '203.0.113.8' } } },
  })
})

const unread: [what: string, include: string, found: RegExp][] = [
  ['a folder', 'home', /There is no file .*home\./],
  ['a missing file', 'missing', /There is no file .*missing\./],
  ['a device', '/dev/zero', /\/dev\/zero is outside the folder/],
]

for (const [what, include, found] of unread) {
  test(`portico import zone does not include ${what}`, async () => {
    const folder = folderWith({ 'example.com.zone': zone.replace('more', include) })
    const { code, stderr } = await portico(folder, ['import', 'zone', 'example.com.zone'])
    assert.equal(code, 1)
    assert.match(stderr, found)
  })
}

test('portico import zone asks for the domain where nothing says it', async () => {
  const folder = folderWith({ zone: zone.replace('$INCLUDE more\n', '') })
  const { code, stderr } = await portico(folder, ['import', 'zone', 'zone'])
  assert.equal(code, 2)
  assert.match(stderr, /zone does not say which domain it is about; --domain NAME does\./)
  const named = await portico(folder, ['import', 'zone', 'zone', '--domain', 'example.net'])
  assert.match(named.stdout, /"example\.net": \{/)
})

test('portico export zone takes the serial from state, and leaves state as it is', async () => {
  const folder = folderWith({ 'portico.jsonc': file })
  const exported = await portico(folder, ['export', 'zone', 'Example.COM.'])
  assert.equal(exported.code, 0, exported.stderr)
  const serial = Number(/ SOA +\S+ \S+ (\d+) /.exec(exported.stdout)?.[1])
  assert.ok(Math.abs(serial - Date.now() / 1000) < 60, `${serial} is the time`)
  assert.equal(existsSync(join(folder, 'state')), false)
  const { stdout } = await portico(folder, ['plan', '--json'])
  const { id, key } = JSON.parse(stdout).dns.zones[0]
  mkdirSync(join(folder, 'state', 'dns'), { recursive: true })
  const saved = join(folder, 'state', 'dns', 'serials.json')
  writeFileSync(saved, JSON.stringify({ [id]: { key, serial: 7 } }))
  const again = await portico(folder, ['export', 'zone', 'example.com'])
  assert.match(again.stdout, / SOA +\S+ \S+ 7 /)
  assert.equal(readFileSync(saved, 'utf8'), JSON.stringify({ [id]: { key, serial: 7 } }))
  const other = await portico(folder, ['export', 'zone', 'example.net'])
  assert.equal(other.code, 2)
  assert.match(other.stderr, /example\.net is no domain of portico\.jsonc; it has example\.com\./)
})

test('portico trust --dry-run says what it would do and where the root is, and runs nothing', async () => {
  const folder = folderWith({ 'portico.jsonc': file })
  const before = await portico(folder, ['trust', '--undo'])
  assert.equal(before.code, 0)
  assert.match(before.stdout, /There is no root in/)
  const { code, stdout, stderr } = await portico(folder, ['trust', '--dry-run'])
  assert.equal(code, 0, stderr)
  assert.ok(stdout.includes(`The root is ${join(folder, 'state', 'tls', 'root.pem')}\n`), stdout)
  assert.ok(existsSync(join(folder, 'state', 'tls', 'root.pem')))
  assert.equal(existsSync(join(folder, 'home', '.pki')), false)
})

const bash = executable('bash')
let bashScript: Promise<Ended> | undefined

// the words so far, the last one being typed; what bash offers
const completed: [words: string[], offered: string[]][] = [
  [['pl'], ['plan']],
  [['im'], ['import']],
  [
    ['import', ''],
    ['nginx', 'zone', 'axfr', '--help'],
  ],
  [['import', 'zone', '--d'], ['--domain']],
  [['import', 'zone', 'por'], ['portico.jsonc']],
  [['plan', '--config', 'por'], ['portico.jsonc']],
  [['plan', '--config', 'x', '--j'], ['--json']],
  [['completion', 'z'], ['zsh']],
  [['init', '--domain', ''], []],
]

for (const [words, offered] of completed) {
  test(`bash completes: portico ${words.join(' ')}`, {
    skip: bash === undefined && 'needs bash',
  }, async () => {
    const folder = folderWith({ 'portico.jsonc': file })
    const script = await (bashScript ??= portico(folder, ['completion', 'bash']))
    const quoted = ['portico', ...words].map((word) => `'${word}'`).join(' ')
    const ask = `${script.stdout}\ncomplete -p portico >&2\nCOMP_WORDS=(${quoted}) COMP_CWORD=${words.length}\n_portico\nprintf '%s\\n' "\${COMPREPLY[@]}"`
    const { stdout, stderr } = await run(bash!, ['--norc', '-c', ask], { cwd: folder })
    assert.equal(stderr, 'complete -F _portico portico\n')
    assert.deepEqual(
      stdout.split('\n').filter((line) => line !== ''),
      offered,
    )
  })
}

for (const shell of ['zsh', 'fish']) {
  const path = executable(shell)
  test(`${shell} can read its script`, { skip: path === undefined && `needs ${shell}` }, async () => {
    const script = await portico(root, ['completion', shell])
    const file = join(root, `completion.${shell}`)
    writeFileSync(file, script.stdout)
    const { code, stderr } = await run(path!, ['-n', file])
    assert.equal(stderr, '')
    assert.equal(code, 0)
  })
}
