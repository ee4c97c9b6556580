import { globSync, readFileSync, statSync } from 'node:fs'
import { debianPackages, executable, run } from '../test/peers.ts'

/**
 * Which programs of other people some files use, read from their `peer('name')` calls.
 *
 * @param files paths of tests or benches
 * @returns for each file that calls `peer`, the names
 */
export function peersOf(files: readonly string[]): Map<string, string[]> {
  const uses = files.map((file) => {
    const calls = readFileSync(file, 'utf8').matchAll(/\bpeer\('([^']+)'\)/g)
    return [file, [...new Set([...calls].map((call) => call[1]!))]] as const
  })
  return new Map(uses.filter(([, names]) => names.length > 0).map(([file, names]) => [file, [...names]]))
}

/** The TypeScript files under some folders; a path that is a file stands for itself. */
export function filesUnder(paths: readonly string[], suffix: string): string[] {
  return paths
    .flatMap((path) => {
      const stats = statSync(path, { throwIfNoEntry: false })
      return stats?.isFile() ? [path] : globSync(`${path.replace(/\/$/, '')}/**/*${suffix}`)
    })
    .sort()
}

/**
 * Install the peers that are missing, where this user may: root or sudo without a password, on a machine with apt-get.
 *
 * @param names executables
 * @returns those still missing afterwards; what was done and why not is said on stderr
 */
export async function installPeers(names: Iterable<string>): Promise<string[]> {
  const isMissing = (name: string) => executable(name) === undefined
  const missing = [...new Set(names)].filter(isMissing)
  if (missing.length === 0) return []
  const packages = debianPackagesFor(missing)
  const prefix = await rootPrefix()
  if (prefix === undefined) return missing
  process.stderr.write(`Installing ${packages.join(' ')} (apt-get)\n`)
  const [command, ...args] = [...prefix, 'sh', '-c', aptScript, 'sh', ...packages]
  const failure = await run(command!, args, { timeoutMs: 300_000 }).then(
    ({ code, stdout, stderr }) => (code === 0 ? undefined : (stderr.trim() || stdout.trim()).slice(-500)),
    (error: Error) => error.message,
  )
  if (failure !== undefined) process.stderr.write(`apt-get did not finish: ${failure}\n`)
  return missing.filter(isMissing)
}

/** The Debian packages that bring these executables, each once. */
export function debianPackagesFor(names: readonly string[]): string[] {
  return [...new Set(names.map((name) => debianPackages[name] ?? name))].sort()
}

/** What to put before a command so that it runs as root; undefined where that, or apt-get, is not to be had. */
async function rootPrefix(): Promise<string[] | undefined> {
  if (executable('apt-get') === undefined) return undefined
  if (process.getuid?.() === 0) return []
  const sudo = executable('sudo')
  if (sudo === undefined) return undefined
  const { code } = await run(sudo, ['-n', 'true'])
  return code === 0 ? [sudo, '-n'] : undefined
}

// Debian starts a server when it installs one; a policy-rc.d that answers 101 forbids it. Ours carries a mark, so
// that a run which was killed leaves nothing that the next one would take for the administrator's.
const aptScript = `
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ] || grep -qs 'portico tests' $policy; then
  trap 'rm -f $policy' EXIT
  trap 'exit 130' INT TERM HUP
  printf '#!/bin/sh\\n# portico tests\\nexit 101\\n' > $policy
  chmod 755 $policy
fi
export DEBIAN_FRONTEND=noninteractive
apt-get -qq -o DPkg::Lock::Timeout=120 update
apt-get -qq -o DPkg::Lock::Timeout=120 -o Dpkg::Use-Pty=0 install -y --no-install-recommends "$@"
`
