import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after } from 'node:test'
import { executable, run } from './peers.ts'

const npm = executable('npm')
const emptyLock = JSON.stringify({
  name: 'a',
  version: '1.0.0',
  lockfileVersion: 3,
  packages: { '': { name: 'a' } },
})
const root = checkout()
const entry = join(root, 'scripts', 'setup.mjs')
after(() => rmSync(root, { recursive: true, force: true }))

test('setup passes arguments and the exit code through, and adds nothing to stdout', async () => {
  const { code, stdout, stderr } = await setup('portico', 'check', 'a b')
  assert.deepEqual({ code, stdout, stderr }, { code: 3, stdout: '["check","a b"]\n', stderr: '' })
})

test('setup names the commands it knows', async () => {
  const { code, stdout, stderr } = await setup('dance')
  assert.deepEqual({ code, stdout }, { code: 2, stdout: '' })
  assert.match(stderr, /start\|portico\|test.*"dance" is none of these/)
})

test('a signal to npm reaches the program, and its exit code comes back', {
  skip: npm ? false : 'needs npm',
}, async () => {
  const child = spawn(npm!, ['run', '-s', 'portico', '--', 'wait'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  child.kill('SIGTERM')
  const [code] = await once(child, 'exit')
  assert.equal(code, 7)
})

test('a lock left behind by a set-up that died is taken over', async () => {
  rmSync(join(root, 'node_modules'), { recursive: true })
  const lock = join(root, '.setup-lock')
  mkdirSync(lock)
  utimesSync(lock, 0, 0)
  // The lock file names nothing to install, so that `npm ci` needs no network.
  const { code, stdout, stderr } = await setup('portico', 'check')
  assert.deepEqual({ code, stdout }, { code: 3, stdout: '["check"]\n' }, stderr)
  assert.match(stderr, /^Another set-up runs.*\nInstalling.*\nInstalled/)
})

test('an install that fails says why and starts nothing', async () => {
  rmSync(join(root, 'node_modules'), { recursive: true, force: true })
  const failing = join(root, 'npm.js')
  writeFileSync(failing, `console.error('no network'); process.exitCode = 9`)
  const env = { npm_execpath: failing, npm_node_execpath: process.execPath }
  const { code, stdout, stderr } = await run(process.execPath, [entry, 'portico', 'check'], { env })
  assert.deepEqual({ code, stdout }, { code: 1, stdout: '' })
  assert.match(
    stderr,
    /no network\nThe development dependencies are not installed: npm ci ended with code 9\.\nFix:/,
  )
})

/** A checkout with nothing to install, and a program that shows what it was given. */
function checkout(): string {
  const folder = mkdtempSync(join(tmpdir(), 'portico-setup-'))
  for (const path of ['scripts', 'src', 'node_modules']) mkdirSync(join(folder, path))
  cpSync('scripts/setup.mjs', join(folder, 'scripts', 'setup.mjs'))
  const scripts = { portico: 'exec node scripts/setup.mjs portico' }
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ name: 'a', version: '1.0.0', type: 'module', scripts }),
  )
  writeFileSync(join(folder, 'package-lock.json'), emptyLock)
  writeFileSync(join(folder, 'node_modules', '.package-lock.json'), emptyLock)
  writeFileSync(
    join(folder, 'src', 'main.ts'),
    `const args: string[] = process.argv.slice(2)
process.on('SIGTERM', () => process.exit(7))
console.log(JSON.stringify(args))
if (args[0] === 'wait') setTimeout(() => process.exit(1), 20_000)
else process.exitCode = 3
`,
  )
  return folder
}

function setup(...args: string[]): ReturnType<typeof run> {
  return run(process.execPath, [entry, ...args], { timeoutMs: 30_000 })
}
