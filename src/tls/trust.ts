import { execFile } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { access, constants, readdir, readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Root } from './authority.ts'
import {
  anchorPath,
  type NssDatabase,
  nickname,
  systemStores,
  type TrustFacts,
  type TrustStep,
  trustPrograms,
} from './trust-steps.ts'

const execute = promisify(execFile)

/** What became of a step. */
export type TrustResult = {
  readonly who: string
  readonly outcome: 'done' | 'nothing to do' | 'not possible' | 'failed'
  /** why, where it was not done */
  readonly why?: string
}

export type TrustSurroundings = {
  readonly root: Root
  /** as `process.platform` */
  readonly platform: string
  /** home folder of whoever browses */
  readonly home: string
  /** folders of programs, as in PATH; `/usr/sbin` and `/sbin` are searched as well */
  readonly path: string
  /** set in front of the system's folders; empty but for tests */
  readonly prefix?: string
  readonly isAdministrator: boolean
}

/** This machine, and whoever runs this program on it. */
export function surroundingsOf(root: Root): TrustSurroundings {
  return {
    root,
    platform: process.platform,
    home: homedir(),
    path: process.env['PATH'] ?? '',
    isAdministrator: process.getuid?.() === 0,
  }
}

/** Find out where this machine keeps trusted roots, and which of the places have ours. */
export async function gatherTrustFacts(surroundings: TrustSurroundings): Promise<TrustFacts> {
  const { root, platform, path, isAdministrator } = surroundings
  const programs = new Set<string>()
  for (const program of trustPrograms) if (await isInPath(program, path)) programs.add(program)
  const system =
    platform === 'darwin' ? await keychain(root, path) : await systemFolder(surroundings, programs)
  const databases = await Promise.all(
    (await databaseFolders(surroundings)).map(async (database): Promise<NssDatabase> => {
      const exists = await isThere(join(database.folder, 'cert9.db'))
      const has = !exists
        ? false
        : programs.has('certutil')
          ? await isInDatabase(database.folder, root, path)
          : null
      return { ...database, exists, has }
    }),
  )
  return { root, isAdministrator, programs, system, databases }
}

/**
 * Run the steps in order; one that fails does not stop the next.
 *
 * @param path folders of programs, as in PATH
 */
export async function runTrustSteps(steps: readonly TrustStep[], path: string): Promise<TrustResult[]> {
  const results: TrustResult[] = []
  for (const { who, outcome, why, commands } of steps) {
    if (outcome === 'to do') results.push(await runCommands(who, commands, path))
    else results.push(why === undefined ? { who, outcome } : { who, outcome, why })
  }
  return results
}

async function runCommands(who: string, commands: TrustStep['commands'], path: string): Promise<TrustResult> {
  for (const [program = '', ...words] of commands) {
    try {
      await call(program, words, path)
    } catch (error) {
      const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : ''
      return { who, outcome: 'failed', why: `${[program, ...words].join(' ')}: ${said || error}` }
    }
  }
  return { who, outcome: 'done' }
}

async function systemFolder(
  { root, prefix = '' }: TrustSurroundings,
  programs: ReadonlySet<string>,
): Promise<TrustFacts['system']> {
  for (const known of systemStores) {
    const store = { ...known, folder: join(prefix, known.folder) }
    if (!programs.has(store.refresh[0]) || !(await isThere(store.folder))) continue
    const held = await readFile(anchorPath(store, root), 'utf8').catch(() => '')
    return { ...store, has: isSame(held, root) }
  }
  return null
}

async function keychain(root: Root, path: string): Promise<TrustFacts['system']> {
  const keychainPath = '/Library/Keychains/System.keychain'
  const listed = await call('security', ['find-certificate', '-a', '-Z', keychainPath], path).catch(() => '')
  return { kind: 'keychain', path: keychainPath, has: listed.includes(root.fingerprint.replaceAll(':', '')) }
}

/** Of Chromium the first is made when missing: it reads that folder as soon as it is there. */
const CHROMIUM_FOLDER = '.pki/nssdb'
const OTHER_CHROMIUM_FOLDERS = [
  '.local/share/pki/nssdb',
  'snap/chromium/current/.pki/nssdb',
  '.var/app/org.chromium.Chromium/data/pki/nssdb',
  '.var/app/com.google.Chrome/data/pki/nssdb',
]
const FIREFOX_FOLDERS = [
  '.mozilla/firefox',
  '.config/mozilla/firefox',
  'snap/firefox/common/.mozilla/firefox',
  '.var/app/org.mozilla.firefox/.mozilla/firefox',
  'Library/Application Support/Firefox/Profiles',
]
// One person has a handful.
const MOST_PROFILES = 100

async function databaseFolders({
  home,
  platform,
}: TrustSurroundings): Promise<{ folder: string; reader: string }[]> {
  const found: { folder: string; reader: string }[] = []
  if (platform === 'linux') found.push({ folder: join(home, CHROMIUM_FOLDER), reader: 'Chromium and Chrome' })
  for (const place of OTHER_CHROMIUM_FOLDERS) {
    const folder = join(home, place)
    if (await isThere(join(folder, 'cert9.db'))) found.push({ folder, reader: `Chromium (${place})` })
  }
  for (const place of FIREFOX_FOLDERS) {
    const profiles = await readdir(join(home, place)).catch(() => [])
    for (const profile of profiles.slice(0, MOST_PROFILES)) {
      const folder = join(home, place, profile)
      if (await isThere(join(folder, 'cert9.db'))) found.push({ folder, reader: `Firefox (${profile})` })
    }
  }
  return found
}

async function isInDatabase(folder: string, root: Root, path: string): Promise<boolean> {
  const listed = await call(
    'certutil',
    ['-L', '-d', `sql:${folder}`, '-n', nickname(root), '-a'],
    path,
  ).catch(() => '')
  return isSame(listed, root)
}

function isSame(pem: string, root: Root): boolean {
  try {
    return new X509Certificate(pem).fingerprint256 === root.fingerprint
  } catch {
    return false
  }
}

async function call(program: string, words: readonly string[], path: string): Promise<string> {
  // Two minutes: someone has to type a password for sudo.
  const options = { env: { ...process.env, PATH: searchPath(path) }, timeout: 120_000 }
  return (await execute(program, words, options)).stdout
}

async function isInPath(program: string, path: string): Promise<boolean> {
  for (const folder of searchPath(path).split(':')) {
    if (folder !== '' && (await isThere(join(folder, program), constants.X_OK))) return true
  }
  return false
}

function searchPath(path: string): string {
  return `${path}:/usr/sbin:/sbin`
}

function isThere(path: string, mode: number = constants.F_OK): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  )
}
