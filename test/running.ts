import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from './ports.ts'

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))

/** A Portico in a process of its own, in a folder of its own, on free ports. */
export type Running = {
  readonly folder: string
  readonly file: string
  readonly ports: {
    readonly dns: number
    readonly http: number
    readonly https: number
    readonly admin: number
  }
  /** the process that runs now */
  readonly child: ChildProcess
  /** everything it printed */
  output(): string
  /** PEM of its local authority's root */
  root(): Promise<string>
  /** Write the file anew: `hosts` (and other domain keys) of example.com. */
  write(domain: object, rest?: object): Promise<void>
  /** Run another command of portico on its file. */
  command(...words: string[]): Promise<{ code: number; stdout: string; stderr: string }>
  /** Start it again after its process has ended. */
  restart(): Promise<void>
  /** SIGTERM, and wait until it is gone; the exit code. */
  stop(): Promise<number | null>
}

/** Start `portico up` with a domain `example.com`, and wait until it is up. */
export async function startRunning(domain: object, rest: object = {}): Promise<Running> {
  const folder = await mkdtemp(join(tmpdir(), 'portico-'))
  const file = join(folder, 'portico.jsonc')
  const ports = {
    dns: await freePort(),
    http: await freePort(),
    https: await freePort(),
    admin: await freePort(),
  }
  const listen = Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, `127.0.0.1:${port}`]))
  const write = async (next: object, others: object = {}): Promise<void> => {
    const value = {
      workers: 1,
      address: ['203.0.113.10'],
      listen,
      domains: { 'example.com': next },
      ...others,
    }
    await writeFile(file, JSON.stringify(value, null, 1))
  }
  await write(domain, rest)
  let output = ''
  let started = start()

  function start(): { child: ChildProcess; ended: Promise<number | null> } {
    const child = spawn(process.execPath, [main, 'up', '--config', file], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (octets) => (output += octets))
    return { child, ended: new Promise((resolve) => child.once('exit', (code) => resolve(code))) }
  }

  async function isUp(): Promise<void> {
    const { child } = started
    await until(() => output.includes('Ctrl-C stops') || child.exitCode !== null, 60_000)
    if (child.exitCode !== null) throw new Error(`portico up ended: ${output}`)
  }
  const running: Running = {
    folder,
    file,
    ports,
    get child() {
      return started.child
    },
    output: () => output,
    root: () => readFile(join(folder, 'state', 'tls', 'root.pem'), 'utf8'),
    write,
    command: (...words) => runCommand([...words, '--config', file]),
    async restart() {
      output = ''
      started = start()
      await isUp()
    },
    async stop() {
      started.child.kill('SIGTERM')
      const code = await started.ended
      await rm(folder, { recursive: true, force: true })
      return code
    },
  }
  await isUp()
  return running
}

/** Run a command of portico and collect what it prints. */
export async function runCommand(
  words: readonly string[],
): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [main, ...words], { stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (octets) => (stdout += octets))
  child.stderr.on('data', (octets) => (stderr += octets))
  const code = await new Promise<number>((resolve) => child.once('close', (status) => resolve(status ?? -1)))
  return { code, stdout, stderr }
}

/** Wait until something holds; throws after a time. */
export async function until(holds: () => boolean | Promise<boolean>, limitMs = 30_000): Promise<void> {
  const deadline = performance.now() + limitMs
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`Waited ${limitMs} ms in vain`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
