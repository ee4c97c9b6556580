// `npm test`: everything a newcomer and CI need, in the order in which a fault is cheapest to find.
// `npm test -- unit`, `-- conformance`, `-- src/dns` run a part of it.

import { run as runTests } from 'node:test'
import { run } from '../test/peers.ts'
import { debianPackagesFor, filesUnder, installPeers, peersOf } from './peers.ts'
import { Report } from './test-report.ts'

/** How long a file of tests may take. */
const fileMs = 300_000

/**
 * So many files of a step may fail beside others and pass alone: real peers share two cores with them, and a wait that
 * ends in vain there says nothing of Portico. Each is named in the last lines.
 */
const mostAgain = 3

const ci = process.env['CI'] === 'true'

type Step = { name: string; title: string; run: () => Promise<boolean> }

const report = new Report()

const steps: Step[] = [
  { name: 'lint', title: 'Format and lint', run: tool('biome', ['check', '--error-on-warnings', '.']) },
  { name: 'types', title: 'Types', run: tool('tsc', ['-p', '.']) },
  { name: 'unused', title: 'Unused code', run: tool('knip', ['--no-progress']) },
  { name: 'unit', title: 'Unit tests', run: () => tests(['src']) },
  { name: 'program', title: 'Whole program', run: () => tests(['test']) },
  { name: 'conformance', title: 'Conformance', run: () => tests(['conformance']) },
]

process.exitCode = (await main(process.argv.slice(2))) ? 0 : 1

async function main(args: readonly string[]): Promise<boolean> {
  const wanted = stepsFor(args)
  if (wanted === undefined) return false
  const failed: string[] = []
  for (const step of wanted) {
    const began = performance.now()
    const passed = await step.run()
    report.step(step.title, passed, performance.now() - began)
    if (!passed) failed.push(step.title)
  }
  report.end(failed)
  return failed.length === 0
}

/** The steps that the arguments name: all without any, a step by its name, a folder or file of tests by its path. */
function stepsFor(args: readonly string[]): Step[] | undefined {
  if (args.length === 0) return steps
  const paths = args.filter((arg) => !steps.some(({ name }) => name === arg))
  if (filesUnder(paths, '.test.ts').length === 0 && paths.length > 0) {
    const names = steps.map(({ name }) => name).join(', ')
    report.say(
      `No test lies under ${paths.join(', ')}. Fix: name a step (${names}), or a folder or file of tests`,
    )
    return undefined
  }
  const named = steps.filter(({ name }) => args.includes(name))
  return paths.length === 0
    ? named
    : [...named, { name: 'paths', title: paths.join(', '), run: () => tests(paths) }]
}

/** A step that is a command of node_modules/.bin (scripts/setup.mjs puts it in PATH); what it says matters when it fails. */
function tool(command: string, args: string[]): () => Promise<boolean> {
  return async () => {
    const { code, stdout, stderr } = await run(command, args, { timeoutMs: 120_000 })
    if (code !== 0) report.say(`${stdout}${stderr}`.trim())
    return code === 0
  }
}

/** A step that is all tests under some paths, two files at a time; what failed has one more try, alone. */
async function tests(paths: readonly string[]): Promise<boolean> {
  const files = filesUnder(paths, '.test.ts')
  if (files.length === 0) {
    report.say(`No test lies under ${paths.join(', ')}: a step without tests proves nothing`)
    return false
  }
  const hasPeers = await preparePeers(files)
  const failed: string[] = []
  const lane = async () => {
    for (let file = files.shift(); file !== undefined; file = files.shift()) {
      if (!(await passes(file))) failed.push(file)
    }
  }
  await Promise.all([lane(), lane()])
  if (failed.length > mostAgain) return false
  for (const file of failed) {
    report.again(file)
    if (!(await passes(file))) return false
  }
  return hasPeers
}

/** Run a file of tests in a process of its own. */
async function passes(file: string): Promise<boolean> {
  let passed = true
  // The runner's own time limit spares a file whose tests ended and left a handle behind; this one does not.
  for await (const event of runTests({ files: [file], signal: AbortSignal.timeout(fileMs) })) {
    report.take(event, file)
    if (event.type === 'test:fail') passed = false
  }
  return passed
}

/** Install what the tests need and name the tests that will be skipped; with CI=true a missing peer is a failure. */
async function preparePeers(files: readonly string[]): Promise<boolean> {
  const uses = peersOf(files)
  const missing = await installPeers([...uses.values()].flat())
  if (missing.length === 0) return true
  for (const [file, names] of uses) {
    const wanting = names.filter((name) => missing.includes(name))
    const fate = ci ? 'fails' : 'is skipped in part or whole'
    if (wanting.length > 0) report.say(`  ${file} ${fate}: it needs ${wanting.join(', ')}`)
  }
  report.say(`  Fix: apt-get install --no-install-recommends ${debianPackagesFor(missing).join(' ')}`)
  return !ci
}
