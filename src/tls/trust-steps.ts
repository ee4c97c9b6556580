import { posix } from 'node:path'

/** What `trustSteps` needs to know of the machine. Paths are absolute. */
export type TrustFacts = {
  readonly root: { readonly path: string; readonly name: string; readonly fingerprint: string }
  readonly isAdministrator: boolean
  /** which of `trustPrograms` are there */
  readonly programs: ReadonlySet<string>
  /** the system's store, if it is one that Portico knows, and whether the root is in it */
  readonly system: (SystemStore & { readonly has: boolean }) | null
  /** certificate databases of browsers that use NSS */
  readonly databases: readonly NssDatabase[]
}

/** Programs of the system that steps call. */
export const trustPrograms = [
  'certutil',
  'install',
  'mkdir',
  'rm',
  'security',
  'sudo',
  'trust',
  'update-ca-certificates',
  'update-ca-trust',
] as const

type Command = readonly [(typeof trustPrograms)[number], ...string[]]

/** A folder of trusted roots with the program that reads it, or a keychain of macOS. */
export type SystemStore =
  | {
      readonly kind: 'folder'
      readonly folder: string
      readonly extension: '.crt' | '.pem'
      readonly refresh: Command
      readonly refreshAfterRemoval: Command
    }
  | { readonly kind: 'keychain'; readonly path: string }

export type NssDatabase = {
  readonly folder: string
  /** who reads it, for people */
  readonly reader: string
  readonly exists: boolean
  /** null where certutil is missing and nobody can tell */
  readonly has: boolean | null
}

/** One place that is told to trust the root, or to forget it. */
export type TrustStep = {
  /** who then believes the root: `the system`, `Firefox (abc.default)` */
  readonly who: string
  readonly commands: readonly (readonly string[])[]
  readonly outcome: 'to do' | 'nothing to do' | 'not possible'
  /** why nothing is done, and what would help */
  readonly why?: string
}

/** Where systems keep roots that their administrator adds; the first that is there is used. */
export const systemStores: readonly Extract<SystemStore, { kind: 'folder' }>[] = [
  {
    kind: 'folder', // Debian, Ubuntu, Alpine
    folder: '/usr/local/share/ca-certificates',
    extension: '.crt',
    refresh: ['update-ca-certificates'],
    refreshAfterRemoval: ['update-ca-certificates', '--fresh'],
  },
  {
    kind: 'folder', // Fedora, Red Hat
    folder: '/etc/pki/ca-trust/source/anchors',
    extension: '.pem',
    refresh: ['update-ca-trust', 'extract'],
    refreshAfterRemoval: ['update-ca-trust', 'extract'],
  },
  {
    kind: 'folder', // Arch
    folder: '/etc/ca-certificates/trust-source/anchors',
    extension: '.crt',
    refresh: ['trust', 'extract-compat'],
    refreshAfterRemoval: ['trust', 'extract-compat'],
  },
  {
    kind: 'folder', // openSUSE
    folder: '/usr/share/pki/trust/anchors',
    extension: '.pem',
    refresh: ['update-ca-certificates'],
    refreshAfterRemoval: ['update-ca-certificates', '--fresh'],
  },
]

/**
 * List what has to be done so that this machine's programs trust the root, or no longer do.
 *
 * Nothing is touched that is not ours: files and nicknames carry the root's fingerprint.
 *
 * @returns one step a store, also where nothing has to be or can be done
 */
export function trustSteps(facts: TrustFacts, task: 'trust' | 'forget'): TrustStep[] {
  return [systemStep(facts, task), ...facts.databases.map((database) => databaseStep(facts, database, task))]
}

/** The file that holds the root in a store's folder. */
export function anchorPath(
  store: Extract<SystemStore, { kind: 'folder' }>,
  root: TrustFacts['root'],
): string {
  return posix.join(store.folder, `portico-${shortFingerprint(root)}${store.extension}`)
}

/** The name of the root in an NSS database. */
export function nickname(root: TrustFacts['root']): string {
  return `${root.name} ${shortFingerprint(root)}`
}

function systemStep(facts: TrustFacts, task: 'trust' | 'forget'): TrustStep {
  const { system, root } = facts
  const who = 'the system'
  if (system === null) {
    return {
      who,
      commands: [],
      outcome: 'not possible',
      why: `no store that Portico knows; import ${root.path}`,
    }
  }
  if (system.has === (task === 'trust')) return nothingToDo(who, task)
  const commands =
    system.kind === 'folder' ? folderCommands(system, root, task) : keychainCommands(system.path, root, task)
  return runnable(
    facts,
    who,
    facts.isAdministrator ? commands : commands.map((command): Command => ['sudo', ...command]),
  )
}

function folderCommands(
  store: Extract<SystemStore, { kind: 'folder' }>,
  root: TrustFacts['root'],
  task: 'trust' | 'forget',
): Command[] {
  const anchor = anchorPath(store, root)
  return task === 'trust'
    ? [['install', '-m', '0644', root.path, anchor], store.refresh]
    : [['rm', '-f', anchor], store.refreshAfterRemoval]
}

function keychainCommands(keychain: string, root: TrustFacts['root'], task: 'trust' | 'forget'): Command[] {
  return task === 'trust'
    ? [['security', 'add-trusted-cert', '-d', '-r', 'trustRoot', '-k', keychain, root.path]]
    : [['security', 'delete-certificate', '-Z', root.fingerprint.replaceAll(':', ''), '-t', keychain]]
}

function databaseStep(facts: TrustFacts, database: NssDatabase, task: 'trust' | 'forget'): TrustStep {
  const { reader: who, folder, exists, has } = database
  if (has === (task === 'trust')) return nothingToDo(who, task)
  const name = ['-d', `sql:${folder}`, '-n', nickname(facts.root)]
  if (task === 'forget') return runnable(facts, who, [['certutil', '-D', ...name]])
  const create: Command[] = [
    ['mkdir', '-p', folder],
    ['certutil', '-N', '-d', `sql:${folder}`, '--empty-password'],
  ]
  // C: trusted to issue for servers; nothing for mail and code.
  const add: Command = ['certutil', '-A', ...name, '-t', 'C,,', '-i', facts.root.path]
  return runnable(facts, who, exists ? [add] : [...create, add])
}

function nothingToDo(who: string, task: 'trust' | 'forget'): TrustStep {
  const why = task === 'trust' ? 'trusts it already' : 'does not know it'
  return { who, commands: [], outcome: 'nothing to do', why }
}

function runnable(facts: TrustFacts, who: string, commands: readonly Command[]): TrustStep {
  const missing = commands
    .flatMap(([program, next]) => (program === 'sudo' ? [program, next] : [program]))
    .find((program) => program !== undefined && !facts.programs.has(program))
  if (missing === undefined) return { who, commands, outcome: 'to do' }
  const help = missing === 'certutil' ? 'install libnss3-tools (nss-tools, nss)' : 'run as root'
  return { who, commands: [], outcome: 'not possible', why: `needs ${missing}: ${help}` }
}

function shortFingerprint(root: TrustFacts['root']): string {
  return root.fingerprint.replaceAll(':', '').slice(0, 16).toLowerCase()
}
