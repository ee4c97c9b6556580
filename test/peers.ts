import { spawn } from 'node:child_process'
import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Which Debian package brings each executable that tests and benches use as client, judge or rival. */
export const debianPackages: Readonly<Record<string, string>> = {
  aria2c: 'aria2',
  caddy: 'caddy',
  certutil: 'libnss3-tools',
  chromium: 'chromium',
  curl: 'curl',
  delv: 'bind9-dnsutils',
  dig: 'bind9-dnsutils',
  'dnssec-verify': 'bind9-utils',
  dnsperf: 'dnsperf',
  dnsviz: 'dnsviz',
  ffmpeg: 'ffmpeg',
  ffprobe: 'ffmpeg',
  h2load: 'nghttp2-client',
  haproxy: 'haproxy',
  kdig: 'knot-dnsutils',
  knotd: 'knot',
  knsupdate: 'knot-dnsutils',
  named: 'bind9',
  'ldns-verify-zone': 'ldnsutils',
  'named-checkzone': 'bind9-utils',
  nghttp: 'nghttp2-client',
  nginx: 'nginx-light',
  nsd: 'nsd',
  nsupdate: 'bind9-dnsutils',
  openssl: 'openssl',
  pebble: 'pebble',
  rclone: 'rclone',
  s3cmd: 's3cmd',
  setpriv: 'util-linux',
  script: 'bsdutils',
  'swift-account-server': 'swift-account',
  'swift-container-server': 'swift-container',
  'swift-object-server': 'swift-object',
  'swift-proxy-server': 'swift-proxy',
  'systemd-analyze': 'systemd',
  'systemd-socket-activate': 'systemd',
  unbound: 'unbound',
  varnishd: 'varnish',
  wget: 'wget',
  wrk: 'wrk',
}

/**
 * Find a program of other people that a test uses; a test without its peer is skipped.
 *
 *     const dig = peer('dig')
 *     test('dig reads the answer', { skip: dig === undefined && 'needs dig' }, async () => { … })
 *
 * Write the name as a literal: `npm test` reads the calls to learn what to install.
 *
 * @param name executable, one of the keys of `debianPackages`
 * @returns its path, or `undefined` where it is not installed
 * @throws {Error} where it is not installed and CI=true: there a skipped test would hide a fault
 */
export function peer(name: string): string | undefined {
  const path = executable(name)
  if (path === undefined && process.env['CI'] === 'true') {
    const install = `apt-get install ${debianPackages[name] ?? name}`
    throw new Error(`${name} is not installed, and CI=true allows no skipped test. Fix: ${install}`)
  }
  return path
}

/**
 * Look for an executable file in PATH, then where Debian keeps servers.
 *
 * @returns its path, or `undefined`
 */
export function executable(name: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')
  return [...folders, '/usr/sbin', '/sbin'].map((folder) => join(folder, name)).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

/** How a command ended: `code` is null when a signal ended it. */
export type Ended = { code: number | null; signal: NodeJS.Signals | null; stdout: string; stderr: string }

/** What a command may take: `input` goes to its stdin, `env` is added to ours, `timeoutMs` is 10 s unless given. */
export type RunOptions = {
  timeoutMs?: number
  input?: string | Uint8Array
  env?: Record<string, string>
  cwd?: string
}

/**
 * Run a command to its end and collect what it says, at most 64 MiB.
 *
 *     const { stdout } = await run(dig, ['@127.0.0.1', '-p', String(port), 'example.com'], { timeoutMs: 5000 })
 *
 * @returns how it ended; a non-zero code is not an error here
 * @throws {Error} when it cannot be started, outlives `timeoutMs` or says too much; it is then killed
 */
export function run(command: string, args: string[], options: RunOptions = {}): Promise<Ended> {
  const { timeoutMs = 60_000, input, env, cwd } = options
  const limitOctets = 64 * 1024 * 1024
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env } })
    const said: { stdout: Buffer[]; stderr: Buffer[] } = { stdout: [], stderr: [] }
    let octets = 0
    let fault: string | undefined
    const stop = (reason: string) => {
      fault ??= reason
      child.kill('SIGKILL')
      // A grandchild may hold the pipes open: let go of them, so that `close` comes.
      child.stdout.destroy()
      child.stderr.destroy()
    }
    const timer = setTimeout(stop, timeoutMs, `did not end within ${timeoutMs} ms`)
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].on('data', (part: Buffer) => {
        said[stream].push(part)
        octets += part.length
        if (octets > limitOctets) stop(`said more than ${limitOctets} octets`)
      })
    }
    child.once('error', reject)
    child.once('close', (code, signal) => {
      clearTimeout(timer)
      const stdout = Buffer.concat(said.stdout).toString()
      const stderr = Buffer.concat(said.stderr).toString()
      if (fault === undefined) resolve({ code, signal, stdout, stderr })
      else
        reject(
          new Error(`${command} ${args.join(' ')} ${fault}\n${stdout.slice(-2000)}${stderr.slice(-2000)}`),
        )
    })
    child.stdin.on('error', () => {}) // EPIPE: the command may end before it has read its input
    child.stdin.end(input)
  })
}
