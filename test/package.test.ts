import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import test from 'node:test'
import { temporaryFolder } from './folder.ts'
import { executable, run } from './peers.ts'

const npm = executable('npm')
const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }

// The commands of the package start `node`: let it be the one that runs this test.
const env = { PATH: [dirname(process.execPath), process.env['PATH']].join(delimiter) }

test('the packed package works where it is installed into an empty folder', {
  skip: npm ? false : 'needs npm',
}, async (context) => {
  const folder = temporaryFolder(context)

  const packed = await npmRun(['pack', '--json', '--pack-destination', folder], process.cwd())
  assert.equal(packed.code, 0, packed.stderr)
  const [{ filename, files }] = listOf(packed.stdout)
  const sources = files.map(({ path }) => path).filter((path) => /\.test\.|(?<!\.d)\.ts$/.test(path))
  assert.deepEqual(sources, [], 'tests and TypeScript sources stay out')
  assert.ok(
    files.some(({ path }) => path === 'dist/portico.d.ts'),
    'the types of the entrance are there',
  )

  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }')
  const installed = await npmRun(['install', '--no-audit', '--no-fund', `./${filename}`], folder)
  if (installed.code !== 0 && process.env['CI'] !== 'true') {
    const isOffline = /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ENETUNREACH|ETIMEDOUT|ECONNRESET)\b/.test(
      installed.stderr,
    )
    if (isOffline) return context.skip('needs the npm registry')
  }
  assert.equal(installed.code, 0, installed.stderr)

  const portico = join(folder, 'node_modules', '.bin', 'portico')
  const said = await run(portico, ['--version'], { cwd: folder, env })
  assert.match(said.stdout, new RegExp(`\\b${version.replaceAll('.', '\\.')}\\b`), said.stderr)

  writeFileSync(join(folder, 'portico.jsonc'), config)
  const checked = await run(portico, ['check'], { cwd: folder, env })
  assert.equal(checked.code, 0, checked.stdout + checked.stderr)

  writeFileSync(join(folder, 'use.js'), program)
  const used = await run(process.execPath, ['use.js'], { cwd: folder, env })
  assert.equal(used.stdout, 'served by a worker\n', used.stderr)
})

/** Serve from a program: the worker threads find their module in the package too. */
const program = `
import { get } from 'node:http'
import { start } from 'portico'
const listen = { http: '127.0.0.1:0', https: 'off', dns: 'off', admin: 'off' }
const hosts = { www: { respond: 'served by a worker' } }
const config = { address: '203.0.113.10', listen, domains: { 'example.com': { hosts } } }
const portico = await start({ config, folder: '.' })
const [{ port }] = portico.front.listeners()
get({ port, headers: { Host: 'www.example.com' } }, async (response) => {
  for await (const octets of response) console.log(String(octets))
  await portico.stop(0)
})
`

const config = `{
  // A file of the smallest kind.
  "address": ["203.0.113.10"],
  "contact": "admin@example.com",
  "domains": { "example.com": { "hosts": { "www": { "service": 8081 } } } }
}
`

type Packed = { filename: string; files: { path: string }[] }

/** `npm pack --json` prints a list, and npm from 12 an object by package name. */
function listOf(json: string): [Packed] {
  return Object.values(JSON.parse(json)) as [Packed]
}

function npmRun(args: string[], cwd: string): ReturnType<typeof run> {
  return run(npm!, [...args, '--loglevel=error', '--no-update-notifier'], { cwd, env, timeoutMs: 180_000 })
}
