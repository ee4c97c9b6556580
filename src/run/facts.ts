import { access, constants, readFile, stat } from 'node:fs/promises'
import { BlockList, isIPv6 } from 'node:net'
import { networkInterfaces } from 'node:os'
import { dirname, resolve } from 'node:path'
import { LEAST_SECRET, type SecretFact, secretIn } from '#bucket/plan.ts'
import type { NamedPath } from '#config/read.ts'
import { hasCode } from '#core/errors.ts'
import type { Facts, PathFact } from '#plan/facts.ts'
import { readPair } from '#tls/files.ts'
import type { CertificateFact } from '#tls/plan.ts'

/** Gather what the Plan must know of this machine. */
export function gatherFacts({ dev }: { readonly dev: boolean }): Facts {
  const addresses = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .map(({ address }) => address)
    .filter(isPublic)
  return { dev, addresses: [...new Set(addresses)] }
}

/** Read the certificate files that a file names, relative to its folder. */
export async function gatherCertificates(
  files: readonly { readonly cert: string; readonly key: string }[],
  folder: string,
): Promise<CertificateFact[]> {
  return Promise.all(
    files.map(async ({ cert, key }) => {
      const pair = await readPair(resolve(folder, cert), resolve(folder, key))
      if (typeof pair === 'string') return { cert, key, holds: pair }
      const { names, fingerprint, keyType } = pair
      return { cert, key, holds: { names, fingerprint, keyType } }
    }),
  )
}

/** Look at the files of secrets that a file names, relative to its folder. */
export async function gatherSecrets(files: readonly string[], folder: string): Promise<SecretFact[]> {
  return Promise.all(
    files.map(async (file): Promise<SecretFact> => {
      try {
        const secret = secretIn(await readFile(resolve(folder, file), 'utf8'))
        return { file, fault: secret.length < LEAST_SECRET ? 'short' : null }
      } catch (error) {
        return { file, fault: hasCode(error, 'ENOENT') ? 'missing' : 'not readable' }
      }
    }),
  )
}

/** Look for what a file names on disk, relative to its folder: what is there and can be read is not told. */
export async function gatherPaths(named: readonly NamedPath[], folder: string): Promise<PathFact[]> {
  // Thousands of hosts may name the same page.
  const each = new Map(named.map((one) => [`${one.kind} ${one.path}`, one])).values()
  const looked = Array.from(each, async ({ kind, path }): Promise<PathFact[]> => {
    const whole = resolve(folder, path)
    const fault = kind === 'new file' ? await faultOf('folder', dirname(whole)) : await faultOf(kind, whole)
    if (fault === null) return []
    return [{ kind, path, fault: kind === 'new file' ? `is to be in a folder that ${fault}` : fault }]
  })
  return (await Promise.all(looked)).flat()
}

/** What stands in the way of reading it; null: nothing. */
async function faultOf(kind: 'file' | 'folder', path: string): Promise<string | null> {
  const found = await stat(path).catch(() => null)
  if (found === null) return 'does not exist'
  if (found.isDirectory() !== (kind === 'folder')) return kind === 'folder' ? 'is no folder' : 'is a folder'
  const isReadable = await access(path, constants.R_OK).then(
    () => true,
    () => false,
  )
  return isReadable ? null : 'may not be read by this user'
}

/** RFC 1918, 6598, 6890, 4193, 4291 and the documentation ranges (RFC 5737, 3849): the world cannot reach these. */
const NOT_PUBLIC = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
  '::/3',
  '2001:db8::/32',
  'fc00::/7',
  'fe80::/10',
]

const notPublic = new BlockList()
for (const network of NOT_PUBLIC) {
  const [address, prefix] = network.split('/') as [string, string]
  notPublic.addSubnet(address, Number(prefix), isIPv6(address) ? 'ipv6' : 'ipv4')
}

function isPublic(address: string): boolean {
  return !notPublic.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
}
