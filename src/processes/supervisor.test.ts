import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { type Log, silent } from '#core/log.ts'
import { planProcess } from './plan.ts'
import { createSupervisor, type Supervisor } from './supervisor.ts'
import { splitWords } from './words.ts'

const from = { file: 'test', line: 1, column: 1 }
const echo =
  'require("node:net").createServer(s=>s.end(process.env.SAY??"hello")).listen(process.env.PORT,"127.0.0.1",()=>console.log("up"))'

function supervise(output: (name: string, line: string) => void = () => {}, log: Log = silent): Supervisor {
  return createSupervisor({ folder: '.', log, output, holderOf: async () => 'process 812 (postfix)' })
}

function planned(run: readonly string[], extra: { port?: number; env?: Record<string, string> } = {}) {
  const plan = planProcess('app.example.com', { run: [process.execPath, ...run], ...extra }, from)
  if (typeof plan === 'string') throw new Error(plan)
  return plan
}

async function until<Value>(what: () => Value | null | undefined | false): Promise<Value> {
  for (let i = 0; i < 400; i++) {
    const value = what()
    if (value !== null && value !== undefined && value !== false) return value
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  throw new Error('waited 10 s in vain')
}

test('a process gets a free port in PORT, its output carries its name, and it stops with the rest', async () => {
  const lines: string[] = []
  const supervisor = supervise((name, line) => lines.push(`${name}: ${line}`))
  const plan = planned(['-e', echo])
  supervisor.replace([plan])
  const port = await until(() => supervisor.portOf(plan.id))
  await until(() => lines.includes('app.example.com: up'))
  const { pid } = supervisor.states()[0]!
  await supervisor.stop(false)
  assert.throws(() => process.kill(pid!, 0))
  assert.ok(port > 0)
  assert.equal(supervisor.portOf(plan.id), null)
})

test('a process that ends is started again with growing pauses', async () => {
  const pauses: unknown[] = []
  const supervisor = supervise(undefined, (_level, event, fields) => {
    if (event === 'process ended') pauses.push(fields?.restartMs)
  })
  supervisor.replace([planned(['-e', 'process.exit(3)'])])
  await until(() => pauses.length >= 3)
  const [state] = supervisor.states()
  await supervisor.stop(false)
  assert.deepEqual(pauses.slice(0, 3), [250, 500, 1000])
  assert.equal(state!.lastEnd, 'ended with exit code 3')
})

test('a busy port is an error that names who holds it', async () => {
  const holder = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => holder.once('listening', resolve))
  const address = holder.address()
  const port = typeof address === 'object' ? address!.port : 0
  const supervisor = supervise()
  supervisor.replace([planned(['-e', echo], { port })])
  const end = await until(() => supervisor.states()[0]!.lastEnd)
  await supervisor.stop(false)
  holder.close()
  assert.equal(end, `Cannot give app.example.com port ${port}: it is taken by process 812 (postfix).`)
})

test('a changed process keeps answering until the new one does', async () => {
  const supervisor = supervise()
  const old = planned(['-e', echo])
  supervisor.replace([old])
  const first = await until(() => supervisor.portOf(old.id))
  const next = planned(['-e', echo], { env: { SAY: 'new' } })
  assert.notEqual(next.key, old.key)
  supervisor.replace([next])
  assert.equal(supervisor.portOf(old.id), first)
  const second = await until(() => {
    const port = supervisor.portOf(next.id)
    return port !== first && port
  })
  assert.notEqual(second, first)
  await supervisor.stop(false)
})

test('a program that is not there is said to be missing', async () => {
  const supervisor = supervise()
  const plan = planProcess('app.example.com', { run: 'no-such-program-here' }, from)
  if (typeof plan === 'string') throw new Error(plan)
  supervisor.replace([plan])
  const end = await until(() => supervisor.states()[0]!.lastEnd)
  await supervisor.stop(false)
  assert.match(end, /Cannot start "no-such-program-here"/)
})

test('a folder that is not there is said to be missing, not the program', async () => {
  const ends: unknown[] = []
  const supervisor = supervise(undefined, (_level, _event, fields) => ends.push(fields?.how))
  supervisor.replace([{ ...planned(['-e', echo]), cwd: '/nowhere/at/all' }])
  await until(() => ends.length > 0)
  await supervisor.stop(false)
  assert.equal(ends[0], `Cannot start "${process.execPath}": there is no folder /nowhere/at/all.`)
})

test('a process that does not mind SIGTERM is killed when somebody wishes it at once', async () => {
  const supervisor = supervise()
  const plan = planned(['-e', `process.on("SIGTERM",()=>{});${echo}`])
  supervisor.replace([plan])
  await until(() => supervisor.portOf(plan.id))
  const startedAt = performance.now()
  const stopped = supervisor.stop(false)
  await Promise.all([supervisor.stop(true), stopped])
  assert.ok(performance.now() - startedAt < 5000)
})

test('splitWords() reads quotes and backslashes as a shell does, and expands nothing', () => {
  const cases: [string, string[]][] = [
    ['node server.js', ['node', 'server.js']],
    [`node 'my server.js' --port "8\\"1"`, ['node', 'my server.js', '--port', '8"1']],
    [`a\\ b  c`, ['a b', 'c']],
    [`x ''`, ['x', '']],
  ]
  for (const [line, words] of cases) assert.deepEqual(splitWords(line), words)
  assert.match(String(splitWords('a | b')), /means something to a shell/)
  assert.match(String(splitWords(`'open`)), /not closed/)
})
