import { type AcmePlan, isOnDemand, type OnDemandPlan } from '#acme/plan.ts'
import { contentKey, type PlanNode } from '#core/node.ts'
import type { Position } from '#core/problem.ts'

/** A certificate that is wanted. `id` is `certificate:` and the first name. */
export type CertificatePlan = PlanNode & {
  /** A-labels in lower case without final dot; the left-most label may be `*` */
  readonly names: readonly string[]
  /** the local authority issues in the handshake; authorities over ACME take their time, and a local one stands in */
  readonly issuer: 'local' | 'acme' | 'files'
  /** of one with a wildcard: names of hosts that are ordered one by one when the wildcard is refused; no part of `key` */
  readonly single?: readonly string[]
  /** another stands beside it, with a key of RSA and for the same names */
  readonly pair?: true
  /** of `files`: paths as written, and what they hold, so that other content is another certificate */
  readonly files?: CertificateFiles
  /** the files of the one beside it */
  readonly filesBeside?: CertificateFiles
}

/** A certificate brought as files: paths as written, and the SHA-256 of the leaf. */
export type CertificateFiles = { readonly cert: string; readonly key: string; readonly fingerprint: string }

/** What a pair of files holds, or a sentence that says why it cannot be used. */
export type CertificateFact = {
  readonly cert: string
  readonly key: string
  readonly holds: Pick<BroughtCertificate, 'names' | 'fingerprint' | 'keyType'> | string
}

/** A certificate brought as files that can be used. */
export type BroughtCertificate = CertificateFiles & {
  readonly names: readonly string[]
  readonly keyType: 'ecdsa' | 'rsa'
  readonly from: Position
}

export type TlsPlan = {
  /** the first one is served to clients that send no name */
  readonly certificates: readonly CertificatePlan[]
  readonly acme: AcmePlan
  readonly onDemand: OnDemandPlan | null
  readonly clients: readonly ClientsPlan[]
  readonly unknownNames: UnknownNames
  readonly limits: TlsLimits
}

/** What a client gets that asks for a name without certificate: an alert, the first certificate, or nothing. */
export type UnknownNames = 'refuse' | 'default' | 'close'

/** A host whose clients show certificates; `*.` stands for names at any depth. */
export type ClientsPlan = {
  readonly name: string
  /** file with the roots */
  readonly roots: string
}

/** What handshakes need of it. */
export type ServedTls = Pick<TlsPlan, 'certificates' | 'limits'> & Partial<Pick<TlsPlan, 'unknownNames'>>

/** Milliseconds and counts; the settings table in `config.ts` says what each means. */
export type TlsLimits = {
  readonly lifetimeMs: number
  readonly sessionTimeoutMs: number
  readonly handshakeTimeoutMs: number
  readonly contexts: number
}

/** A name that answers over HTTPS: A-labels in lower case without final dot. */
export type WantedName = {
  readonly name: string
  readonly from: Position
  /** file with the roots of its clients' certificates */
  readonly clientCertificates?: string
}

export type CertificatesInput = {
  readonly wanted: readonly WantedName[]
  readonly acme: AcmePlan
  readonly onDemand?: Omit<OnDemandPlan, 'below'> | null
  /** certificates brought as files, which need no issuer */
  readonly brought?: readonly BroughtCertificate[]
  /** domains of the file, as names are written here */
  readonly apexes: readonly string[]
  /** whether it is known that no authority issues a wildcard for names below this one */
  readonly refusesWildcard?: (parent: string) => boolean
  readonly unknownNames?: UnknownNames
  readonly limits: TlsLimits
}

/**
 * Decide which certificates are wanted.
 *
 * The local authority issues for a name at its first handshake, so one for each name costs nothing. Of others a
 * wildcard is wanted for all names below one parent: a host that is added has its certificate at once, and the world
 * does not read its name in the transparency logs. Without our own DNS, or where no authority issues a wildcard, each name
 * has its own.
 */
export function planCertificates(input: CertificatesInput): TlsPlan {
  const { acme, apexes, limits, brought = [], onDemand = null, unknownNames = 'refuse' } = input
  const { refusesWildcard = () => false } = input
  const covered = new Set(brought.flatMap(({ names }) => names))
  const wanted = input.wanted.filter(({ name }) => !isCovered(name, covered))
  const hasDns = acme.challenges.some((type) => type.startsWith('dns-'))
  const isPublic = ({ name }: WantedName): boolean => {
    return acme.authorities.length > 0 && !isSpecial(name, acme) && (hasDns || !name.startsWith('*.'))
  }
  const local = wanted.filter((each) => !isPublic(each))
  const mayShare = (name: string): boolean => hasDns && !refusesWildcard(groupOf(name, apexes))
  const groups = Map.groupBy(wanted.filter(isPublic), ({ name }) => {
    return mayShare(name) ? `*.${groupOf(name, apexes)}` : name
  })
  const issued = Array.from(groups, ([group, members]) => {
    const names = mayShare(members[0]!.name) ? namesOf(group.slice(2), members, apexes) : [group]
    const planned = certificate({ names, issuer: 'acme', ...pairOf(acme) }, members[0]!.from)
    const single = members.map(({ name }) => name).filter((name) => !name.startsWith('*.'))
    const isReplaceable = names.some((name) => name.startsWith('*.')) && single.length > 0
    return isReplaceable && single.length <= SINGLE_LIMIT ? { ...planned, single } : planned
  })
  const certificates = [
    ...pairFiles(brought),
    ...issued,
    ...local.map(({ name, from }) => certificate({ names: [name], issuer: 'local' }, from)),
  ]
  const clients = input.wanted.flatMap(({ name, clientCertificates: roots }) => {
    return roots === undefined ? [] : [{ name, roots }]
  })
  const below = input.wanted.filter(({ name }) => name.startsWith('*.')).map(({ name }) => name.slice(2))
  return { certificates, acme, onDemand: onDemand && { ...onDemand, below }, clients, unknownNames, limits }
}

/** Names on one certificate (Let's Encrypt's own limit). */
const SINGLE_LIMIT = 100

/** By its own name, or by the wildcard one label up (RFC 9525 §6.3). */
function isCovered(name: string, covered: ReadonlySet<string>): boolean {
  return covered.has(name) || covered.has(`*${name.slice(name.indexOf('.'))}`)
}

/** The name that a wildcard would stand under: the parent, or the domain itself for its own name. */
function groupOf(name: string, apexes: readonly string[]): string {
  return apexes.includes(name) ? name : name.slice(name.indexOf('.') + 1)
}

/** One order for domain and wildcard; deeper down a wildcard where it saves certificates. */
function namesOf(parent: string, members: readonly WantedName[], apexes: readonly string[]): string[] {
  const below = members.filter(({ name }) => name !== parent)
  if (apexes.includes(parent)) return below.length === 0 ? [parent] : [parent, `*.${parent}`]
  return below.length === 1 ? [below[0]!.name] : [`*.${parent}`]
}

// RFC 6761 §6.3, §6.5; RFC 6762 §3; RFC 7686 §2; RFC 8375 §4: no authority for the world may issue for these.
const SPECIAL = /(^|\.)(test|example|invalid|local|onion|internal|home\.arpa)$/

/** `.localhost` is never ours to prove; of the others only authorities for the world may not hear. */
function isSpecial(name: string, { authorities }: AcmePlan): boolean {
  const isWorldwide = authorities.some(({ directory }) => directory.includes('.letsencrypt.org/'))
  return /(^|\.)localhost$/.test(name) || (isWorldwide && SPECIAL.test(name))
}

function pairOf({ keyType }: AcmePlan): { readonly pair?: true } {
  return keyType === 'both' ? { pair: true } : {}
}

/** Certificates of files; two for the same names with keys of both kinds make one. */
function pairFiles(brought: readonly BroughtCertificate[]): CertificatePlan[] {
  const groups = Map.groupBy(brought, ({ names }) => names.toSorted().join(' '))
  return [...groups.values()].map((group) => {
    const first = group.find(({ keyType }) => keyType === 'ecdsa') ?? group[0]!
    const beside = group.find(({ keyType }) => keyType !== first.keyType)
    const { names, from } = first
    const files = filesOf(first)
    if (beside === undefined) return certificate({ names, issuer: 'files', files }, from)
    return certificate({ names, issuer: 'files', pair: true, files, filesBeside: filesOf(beside) }, from)
  })
}

function filesOf({ cert, key, fingerprint }: BroughtCertificate): CertificateFiles {
  return { cert, key, fingerprint }
}

function certificate(content: Omit<CertificatePlan, 'id' | 'key' | 'from'>, from: Position): CertificatePlan {
  return { id: `certificate:${content.names[0]}`, key: contentKey(content), from, ...content }
}

/** Certificates of names that were granted on demand, beside those of the Plan. */
export function withGranted(plan: TlsPlan, names: readonly string[]): TlsPlan {
  const { onDemand } = plan
  if (onDemand === null || names.length === 0) return plan
  const known = new Set(plan.certificates.flatMap((each) => each.names))
  const from = plan.certificates[0]?.from ?? { file: '', line: 0, column: 0 }
  const granted = names
    .filter((name) => isOnDemand(name, onDemand) && !isCovered(name, known))
    .map((name) => certificate({ names: [name], issuer: 'acme', ...pairOf(plan.acme) }, from))
  return { ...plan, certificates: [...plan.certificates, ...granted] }
}
