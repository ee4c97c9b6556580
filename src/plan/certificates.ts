import { authoritiesOf, challengesOf } from '#acme/config.ts'
import type { AcmePlan } from '#acme/plan.ts'
import type { Config } from '#config/load.ts'
import type { Problem } from '#core/problem.ts'
import type { Names } from '#dns/records/names.ts'
import { tlsLimits } from '#tls/config.ts'
import { type CertificatesInput, planCertificates, type TlsPlan, type WantedName } from '#tls/plan.ts'
import { publicAuthoritiesOf } from './authorities.ts'
import type { Facts } from './facts.ts'
import { wildcardRefusals } from './wildcard-refusals.ts'

/** What the rest of the Plan says to certificates. */
export type TlsInput = {
  /** names that answer over HTTPS */
  readonly wanted: readonly WantedName[]
  /** our name server listens */
  readonly hasDns: boolean
  /** domains of the file, without final dot */
  readonly apexes: readonly string[]
  /** records of all zones */
  readonly names: Names
  /** grows */
  readonly problems: Problem[]
}

/** The certificates of the file: who issues, what was brought, what is ordered when a client asks. */
export function planTls(
  config: Config,
  facts: Facts,
  { wanted, hasDns, apexes, names, problems }: TlsInput,
): TlsPlan {
  return planCertificates({
    wanted,
    acme: planAcme(config, facts, hasDns),
    onDemand: facts.dev ? null : planOnDemand(config),
    brought: broughtCertificates(config, facts, problems),
    apexes,
    refusesWildcard: wildcardRefusals(publicAuthoritiesOf(config.value.certificates), names),
    unknownNames: config.value.certificates.unknownNames,
    limits: tlsLimits(config.value.certificates),
  })
}

/** On a laptop nobody else can look, so nobody else is asked. */
function planAcme({ value }: Config, facts: Facts, hasDns: boolean): AcmePlan {
  const { issuer, challenges, keyType } = value.certificates
  return {
    authorities: facts.dev ? [] : authoritiesOf(issuer, value.contact),
    challenges: challengesOf(challenges, hasDns),
    keyType,
  }
}

function planOnDemand({ value }: Config): NonNullable<CertificatesInput['onDemand']> | null {
  const { onDemand, issuer } = value.certificates
  if (onDemand === undefined || authoritiesOf(issuer, undefined).length === 0) return null
  const { ask, perHour = 10, most = 1000, refused = 600_000 } = onDemand
  return { ask, perHour, most, refusedMs: refused }
}

/** Certificates of files that can be used; the others are reported. */
function broughtCertificates(
  { value, written }: Config,
  facts: Facts,
  problems: Problem[],
): NonNullable<CertificatesInput['brought']> {
  return value.certificates.files.flatMap(({ cert, key }, index) => {
    const from = written.at(['certificates', 'files', index])
    const fact = facts.certificates?.find((each) => each.cert === cert && each.key === key)
    const holds = fact?.holds ?? `${cert} and ${key} were not read.`
    if (typeof holds !== 'string') return [{ cert, key, ...holds, from }]
    const fix = 'name a chain and its private key, both in PEM'
    problems.push({ level: 'error', code: 'tls/certificate-file', at: from, message: holds, fix })
    return []
  })
}
