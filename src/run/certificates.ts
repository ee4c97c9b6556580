import { join, resolve } from 'node:path'
import { createKeeper, issuerOf, type Keeper } from '#acme/keeper.ts'
import type { AuthorityPlan } from '#acme/plan.ts'
import { createPresenter, type Place, type Shown } from '#acme/present.ts'
import type { Log } from '#core/log.ts'
import { lookup } from '#dns/lookup.ts'
import { lowerName, parseName, printName } from '#dns/wire/name.ts'
import { TYPE } from '#dns/wire/types.ts'
import type { Zones } from '#dns/zone.ts'
import type { Plan } from '#plan/plan.ts'
import type { Authority } from '#tls/authority.ts'
import { readPair } from '#tls/files.ts'
import type { Issued, Issuer } from '#tls/issuer.ts'
import type { CertificatePlan, TlsPlan } from '#tls/plan.ts'

export type CertificateKeeping = {
  readonly keeper: Keeper
  /** issuers by their name in the Plan */
  readonly issuers: { readonly local: Issuer; readonly acme: Issuer; readonly files: Issuer }
  /** Open what the Plan asks for. @returns puts it to use, and cannot fail */
  prepare(plan: TlsPlan): Promise<() => void>
}

export type CertificateKeepingOptions = {
  readonly authority: Authority
  /** folder of the file, where relative paths start */
  readonly folder: string
  readonly stateFolder: string
  /** what is served now */
  readonly served: () => { readonly plan: Plan; readonly zones: Zones }
  readonly publish: (id: string) => void
  readonly show: (shown: Shown) => void
  readonly log: Log
}

/** Certificates of authorities over ACME, with the local authority as stand-in until they are there. */
export function keepCertificates(options: CertificateKeepingOptions): CertificateKeeping {
  const { authority, folder, stateFolder, served, publish, show, log } = options
  const presenter = createPresenter({
    publish: show,
    locate: (owner) => locateProof(owner, served()),
    log,
  })
  const keeper = createKeeper({
    folder: join(stateFolder, 'acme'),
    publish,
    show: presenter.show,
    now: Date.now,
    random: Math.random,
    log,
  })
  const acme: Issuer = {
    issue(certificate, now, lifetimeMs) {
      const kept = keeper.current(certificate.id)
      // One that has ended helps nobody: the stand-in at least says that Portico is there.
      if (kept === null || kept.notAfter <= now) return authority.issue(certificate, now, lifetimeMs)
      const { key, chain, notBefore, notAfter } = kept
      return { key, chain, issuer: issuerOf(kept), notBefore, notAfter, renewAt: notAfter }
    },
  }

  let brought: ReadonlyMap<string, Issued> = new Map()
  const files: Issuer = { issue: ({ key }) => brought.get(key) ?? null }

  async function prepare({ certificates, acme: plan }: TlsPlan): Promise<() => void> {
    const nextBrought = await readFiles(certificates, folder)
    const authorities = plan.authorities.map((each) => withPaths(each, folder))
    const wanted = certificates.filter(({ issuer }) => issuer === 'acme')
    const commit = await keeper.replace({ ...plan, authorities }, wanted)
    return () => {
      brought = nextBrought
      commit()
    }
  }

  return { keeper, issuers: { local: authority, acme, files }, prepare }
}

/** @throws {Error} when a file changed into something else since it was planned */
async function readFiles(
  certificates: readonly CertificatePlan[],
  folder: string,
): Promise<ReadonlyMap<string, Issued>> {
  const read = new Map<string, Issued>()
  for (const { key, files } of certificates) {
    if (files === undefined) continue
    const pair = await readPair(resolve(folder, files.cert), resolve(folder, files.key))
    if (typeof pair === 'string') throw new Error(pair)
    read.set(key, pair.issued)
  }
  return read
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
export function locateProof(owner: string, { plan, zones }: { plan: Plan; zones: Zones }): Place | string {
  const name = parseName(owner)
  if (typeof name === 'string') return name
  const { reason, answers, zone, authority } = lookup(zones, lowerName(name), TYPE.TXT)
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
