// The entry of every npm script: does the set-up that a fresh machine needs, then becomes the wanted program.
// Plain JavaScript without dependencies: it runs before anything is installed, on Node 20 and newer.
// package.json starts it with `exec`: else a signal to npm would end npm's shell and leave the program running.
// It writes to stderr only: stdout belongs to the program (`npm run -s bench -- proxy --json`).

import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, utimesSync } from 'node:fs'
import { constants } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const binaries = join(root, 'node_modules', '.bin')
const nodeWanted = 24 // package.json, engines

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']

/** What each npm script starts. */
const entries = {
  start: 'examples/subdomains/start.ts',
  portico: 'src/main.ts',
  test: 'scripts/test.ts',
  bench: 'bench/main.ts',
  build: 'scripts/build.ts',
  docs: 'scripts/docs.ts',
}

const [name = '', ...args] = process.argv.slice(2)
const entry = entries[name]
if (entry === undefined) {
  say(
    `Usage: node scripts/setup.mjs ${Object.keys(entries).join('|')} [arguments]; "${name}" is none of these`,
  )
  process.exit(2)
}
if (!isInstalled()) await underLock(install)
await become(nodeFor(), [join(root, entry), ...args])

/** Whether node_modules holds what package-lock.json says; npm writes its own record last, so half an install counts as none. */
function isInstalled() {
  const record = join(root, 'node_modules', '.package-lock.json')
  if (!existsSync(record)) return false
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages
  const installed = JSON.parse(readFileSync(record, 'utf8')).packages
  return Object.entries(wanted).every(([path, { version, integrity, optional, link }]) => {
    const found = installed[path]
    if (path === '' || link) return true
    if (found === undefined) return optional === true
    return found.version === version && found.integrity === integrity
  })
}

/** Run `work` unless another set-up in this checkout does it first. The owner touches the lock; untouched for 15 s, it is stale. */
async function underLock(work) {
  const lock = join(root, '.setup-lock')
  const deadline = Date.now() + 15 * 60_000
  for (let told = false; ; told = true) {
    try {
      mkdirSync(lock)
      break
    } catch (error) {
      if (error.code !== 'EEXIST') fail(`Cannot write to ${root}: ${error.message}`)
    }
    if (!told) say('Another set-up runs in this checkout; waiting for it')
    if (age(lock) > 15_000) rmSync(lock, { recursive: true, force: true })
    else await new Promise((resolve) => setTimeout(resolve, 250))
    if (Date.now() > deadline) fail(`The other set-up did not end within 15 minutes. Fix: remove ${lock}`)
  }
  const release = () => rmSync(lock, { recursive: true, force: true })
  const touching = setInterval(() => utimesSync(lock, new Date(), new Date()), 2_000)
  process.once('exit', release)
  for (const signal of signals) process.once(signal, leave)
  if (!isInstalled()) await work()
  for (const signal of signals) process.removeListener(signal, leave)
  process.removeListener('exit', release)
  clearInterval(touching)
  release()
}

function leave(signal) {
  process.exit(128 + constants.signals[signal])
}

function age(path) {
  try {
    return Date.now() - statSync(path).mtimeMs
  } catch {
    return 0
  }
}

/** `npm ci` with the npm that runs this script, else the one in PATH. */
async function install() {
  say('Installing the development dependencies (npm ci)')
  const began = Date.now()
  // NODE_ENV=production would leave out what start and test need; engines name Node 24, which this install brings.
  const options = ['ci', '--include=dev', '--include=optional', '--engine-strict=false', '--loglevel=error']
  const quiet = ['--no-audit', '--no-fund', '--no-update-notifier', '--prefer-offline']
  const npm = process.env['npm_execpath']
  const [command, ...first] = npm?.endsWith('.js')
    ? [process.env['npm_node_execpath'] ?? process.execPath, npm]
    : ['npm']
  const output = []
  const child = spawn(command, [...first, ...options, ...quiet], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  child.stdout.on('data', (part) => output.push(part))
  child.stderr.on('data', (part) => output.push(part))
  process.once('exit', () => child.kill())
  const patience = setInterval(() => say(`Still installing after ${elapsed(began)}`), 20_000)
  const reason = await new Promise((resolve) => {
    child.once('error', (error) => resolve(`cannot start npm: ${error.message}`))
    child.once('close', (code, signal) =>
      resolve(code === 0 ? '' : `npm ci ended with ${signal ?? `code ${code}`}`),
    )
  })
  clearInterval(patience)
  if (reason !== '') {
    process.stderr.write(Buffer.concat(output))
    fail(
      `The development dependencies are not installed: ${reason}.\nFix: see npm's words above; it needs the npm registry (network, proxy, disk), then run this command again`,
    )
  }
  say(`Installed in ${elapsed(began)}`)
}

function elapsed(began) {
  return `${((Date.now() - began) / 1000).toFixed(0)} s`
}

/** This Node when it is new enough, else the one that the install brought. */
function nodeFor() {
  if (Number.parseInt(process.versions.node, 10) >= nodeWanted) return process.execPath
  const brought = join(binaries, 'node')
  if (existsSync(brought)) return brought
  const machine = `${process.platform} on ${process.arch}`
  fail(
    `Portico needs Node ${nodeWanted} or newer; this is ${process.version}, and no package brings one for ${machine}.\nFix: https://nodejs.org/en/download`,
  )
}

/** Run a program as if it were this one: its input, output, signals and exit code are ours. */
async function become(command, programArgs) {
  const PATH = [binaries, process.env['PATH']].join(delimiter)
  // Types are stripped and code is compiled once for all who start the program: that halves the processor time of a start.
  const NODE_COMPILE_CACHE = process.env['NODE_COMPILE_CACHE'] ?? join(root, 'node_modules', '.cache', 'code')
  const env = { ...process.env, PATH, NODE_COMPILE_CACHE }
  const child = spawn(command, programArgs, { stdio: 'inherit', env })
  for (const signal of signals) {
    process.on(signal, () => {
      // A terminal sends Ctrl-C to the whole process group: the child has it already.
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal)
    })
  }
  const [code, signal] = await new Promise((resolve) => {
    child.once('error', (error) => fail(`Cannot start ${command}: ${error.message}`))
    child.once('exit', (...ended) => resolve(ended))
  })
  process.exit(signal === null ? code : 128 + constants.signals[signal])
}

function say(text) {
  process.stderr.write(`${text}\n`)
}

function fail(text) {
  say(text)
  process.exit(1)
}
