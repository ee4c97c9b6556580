import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { besideOf, createKeeper, type Keeper } from '#acme/keeper.ts'
import { issuerOf, type Wanted } from '#acme/kept-state.ts'
import { openOnDemand } from '#acme/on-demand.ts'
import type { AuthorityPlan } from '#acme/plan.ts'
import { createPresenter, type Place, type Shown } from '#acme/present.ts'
import type { Log } from '#core/log.ts'
import { lookup } from '#dns/lookup.ts'
import { lowerName, parseName, printName } from '#dns/wire/name.ts'
import { TYPE } from '#dns/wire/types.ts'
import type { Zones } from '#dns/zone.ts'
import type { Plan } from '#plan/plan.ts'
import type { TlsSlice } from '#run/slice.ts'
import type { Authority } from '#tls/authority.ts'
import { readPair } from '#tls/files.ts'
import type { Issued, Issuer } from '#tls/issuer.ts'
import { type CertificateFiles, type CertificatePlan, type TlsPlan, withGranted } from '#tls/plan.ts'

export type CertificateKeeping = {
  readonly keeper: Keeper
  /** issuers by their name in the Plan */
  readonly issuers: { readonly local: Issuer; readonly acme: Issuer; readonly files: Issuer }
  /** Open what the Plan asks for, and what was granted on demand. */
  prepare(plan: TlsPlan): Promise<PreparedKeeping>
  /** A client asks for a name that no certificate has. @returns whether there is one now */
  ask(name: string): Promise<boolean>
}

export type PreparedKeeping = TlsSlice & {
  /** Put it to use; it cannot fail. */
  commit(): void
  /** whether names were granted that are not in it */
  isBehind(): boolean
}

type Served = { readonly plan: Plan; readonly zones: () => Zones }

export type CertificateKeepingOptions = {
  readonly authority: Authority
  /** folder of the file, where relative paths start */
  readonly folder: string
  readonly stateFolder: string
  /** what is served now */
  readonly served: () => Served
  readonly publish: (id: string) => void
  /** Names were granted on demand: prepare the Plan that is served once more, and put it to use. */
  readonly regrant: () => Promise<void>
  readonly show: (shown: Shown) => void
  readonly log: Log
}

/** A client that asked for a name waits for its certificate so long; then it gets the stand-in. */
const WAIT_FOR_ISSUE_MS = 8000

/** Certificates of authorities over ACME, with the local authority as stand-in until they are there. */
export async function keepCertificates(options: CertificateKeepingOptions): Promise<CertificateKeeping> {
  const { authority, folder, stateFolder, served, show, log } = options
  /** for whom a handshake waits, by id */
  const awaited = new Map<string, PromiseWithResolvers<void>>()
  const presenter = createPresenter({
    publish: show,
    locate: (owner) => locateProof(owner, served()),
    log,
  })
  const keeper = createKeeper({
    folder: join(stateFolder, 'acme'),
    publish(id) {
      const base = id.replace(/\+rsa$/, '')
      options.publish(base)
      awaited.get(base)?.resolve()
    },
    show: presenter.show,
    now: Date.now,
    random: Math.random,
    log,
  })
  const acme: Issuer = {
    issue(certificate, now, lifetimeMs) {
      const ids = [certificate.id, ...(certificate.pair ? [besideOf(certificate.id)] : [])]
      // One that has ended helps nobody: the stand-in at least says that Portico is there.
      const [kept, beside] = ids
        .flatMap((id) => keeper.current(id) ?? [])
        .filter(({ notAfter }) => notAfter > now)
      if (kept === undefined) return authority.issue(certificate, now, lifetimeMs)
      const { key, chain, notBefore, notAfter } = kept
      const renewAt = Math.min(notAfter, beside?.notAfter ?? notAfter)
      const issued = { key, chain, issuer: issuerOf(kept), notBefore, notAfter, renewAt }
      return beside === undefined ? issued : { ...issued, beside: { key: beside.key, chain: beside.chain } }
    },
  }

  let brought: ReadonlyMap<string, Issued> = new Map()
  const files: Issuer = { issue: ({ key }) => brought.get(key) ?? null }

  const onDemand = await openOnDemand({ stateFolder, grant: options.regrant, now: Date.now, log })

  async function ask(name: string): Promise<boolean> {
    const { onDemand: plan } = served().plan.tls
    if (plan === null || !(await onDemand.ask(name, plan))) return false
    const id = `certificate:${name}`
    if (keeper.current(id) === null) {
      const issued = awaited.get(id) ?? Promise.withResolvers<void>()
      awaited.set(id, issued)
      await Promise.race([issued.promise, pause(WAIT_FOR_ISSUE_MS, undefined, { ref: false })])
      awaited.delete(id)
    }
    return true
  }

  async function prepare(written: TlsPlan): Promise<PreparedKeeping> {
    const granted = onDemand.names().length
    const full = withGranted(written, onDemand.names())
    const { certificates, acme: plan } = full
    const clientRoots = await readRoots(full.clients, folder)
    const nextBrought = await readFiles(certificates, folder)
    const authorities = plan.authorities.map((each) => withPaths(each, folder))
    const wanted = (): readonly Wanted[] => wantedOf(written, withGranted(written, onDemand.names()))
    const commit = await keeper.replace({ ...plan, authorities }, wanted)
    return {
      tls: full,
      clientRoots,
      commit() {
        brought = nextBrought
        commit()
      },
      isBehind: () => onDemand.names().length !== granted,
    }
  }

  return { keeper, issuers: { local: authority, acme, files }, prepare, ask }
}

/** What authorities are asked for: what is written, and what was granted. */
function wantedOf(written: TlsPlan, { certificates, acme: plan }: TlsPlan): readonly Wanted[] {
  const isWritten = new Set(written.certificates.map(({ id }) => id))
  const lateDns = plan.challenges.toSorted(
    (a, b) => Number(a.startsWith('dns-')) - Number(b.startsWith('dns-')),
  )
  return certificates
    .filter(({ issuer }) => issuer === 'acme')
    .flatMap(({ id, names, single, pair }): Wanted[] => {
      // A proof below a name that only a wildcard answers for would hide the name (RFC 4592 §2.2.2).
      const shown = {
        names,
        ...(single && { single }),
        ...(isWritten.has(id) ? {} : { challenges: lateDns }),
      }
      if (!pair) return [{ id, keyType: plan.keyType === 'rsa' ? 'rsa' : 'ecdsa', ...shown }]
      return [
        { id, keyType: 'ecdsa', ...shown },
        { id: besideOf(id), keyType: 'rsa', ...shown },
      ]
    })
}

/** @throws {Error} when a file changed into something else since it was planned */
async function readFiles(
  certificates: readonly CertificatePlan[],
  folder: string,
): Promise<ReadonlyMap<string, Issued>> {
  const read = new Map<string, Issued>()
  for (const { key, files, filesBeside } of certificates) {
    if (files === undefined) continue
    const issued = await readIssued(files, folder)
    const beside = filesBeside && (await readIssued(filesBeside, folder))
    read.set(key, beside === undefined ? issued : { ...issued, beside })
  }
  return read
}

async function readIssued({ cert, key }: CertificateFiles, folder: string): Promise<Issued> {
  const pair = await readPair(resolve(folder, cert), resolve(folder, key))
  if (typeof pair === 'string') throw new Error(pair)
  return pair.issued
}

/** @throws {Error} when a file cannot be read */
async function readRoots(clients: TlsPlan['clients'], folder: string): Promise<ReadonlyMap<string, string>> {
  const read = clients.map(async ({ name, roots }) => {
    return [name, await readFile(resolve(folder, roots), 'utf8')] as const
  })
  return new Map(await Promise.all(read))
}

function withPaths({ root, eab, ...rest }: AuthorityPlan, folder: string): AuthorityPlan {
  return {
    ...rest,
    ...(root === undefined ? {} : { root: resolve(folder, root) }),
    ...(eab === undefined ? {} : { eab: { ...eab, keyFile: resolve(folder, eab.keyFile) } }),
  }
}

/**
 * Find where a proof has to stand: aliases among our zones are followed, as the authority does (RFC 8555 §8.4).
 *
 * @returns a sentence when another's servers answer for the name
 */
export function locateProof(owner: string, { plan, zones }: Served): Place | string {
  const name = parseName(owner)
  if (typeof name === 'string') return name
  const { reason, answers, zone, authority } = lookup(zones(), lowerName(name), TYPE.TXT)
  const alias = answers.findLast(({ type }) => type === TYPE.CNAME)
  const target = alias === undefined ? owner : printName(alias.targets[0]!)
  if (reason === 'referral') {
    return `${target} is delegated to ${authority?.plan.data.join(', ') ?? 'other servers'}.`
  }
  if (zone === undefined) {
    return alias === undefined
      ? `${owner} is in no domain of this file.`
      : `${owner} is an alias of ${target}, which is in no domain of this file.`
  }
  return { owner: target, secondaries: secondariesOf(zone.plan.apex, plan) }
}

/** Name servers of a zone that are not this machine: those whose addresses are not those of the hosts here. */
function secondariesOf(apex: string, { dns }: Plan): string[] {
  const rrsets = dns.zones.flatMap((zone) => zone.rrsets)
  const zone = dns.zones.find((each) => each.apex === apex)
  const servers = zone?.rrsets.find(({ owner, type }) => owner === apex && type === 'NS')?.data ?? []
  return servers.filter((server) => {
    const addresses = rrsets.filter(
      ({ owner, type }) => owner === server && (type === 'A' || type === 'AAAA'),
    )
    return !addresses.some(({ why, data }) => why !== 'written' || data.some((address) => isOurs(address)))
  })

  function isOurs(address: string): boolean {
    return rrsets.some(({ why, data }) => why === 'derived from the host' && data.includes(address))
  }
}
