import type { Problem } from '#core/problem.ts'
import type { Names, ZoneNames } from '#dns/records/names.ts'
import { checkAddresses } from './check/addresses.ts'
import { checkAlias, checkChains, checkDname, checkFlattened } from './check/aliases.ts'
import { checkCaa } from './check/caa.ts'
import { checkDkim } from './check/dkim.ts'
import { checkDmarc } from './check/dmarc.ts'
import type { OwnerNode } from './check/finding.ts'
import { checkOwnerName, checkServiceOwner } from './check/owners.ts'
import { APEX_TYPES, checkKeyPlace, checkPlace, glueOf } from './check/place.ts'
import { checkMtaSts, checkTlsReports } from './check/policy-records.ts'
import { checkNameServers, checkSets } from './check/sets.ts'
import { checkSpf } from './check/spf.ts'
import { checkServiceBindings } from './check/svcb.ts'
import { checkNullTargets, checkTargets } from './check/targets.ts'
import { checkReach, checkWildcardData } from './check/wildcards.ts'

/** Rules about one owner, each in the file of its subject, with the types that it speaks of; of all without any. */
const OWNER_RULES: readonly (readonly [rule: (node: OwnerNode) => Problem[], ...types: string[]])[] = [
  [checkOwnerName],
  [checkServiceOwner, 'SRV', 'TLSA'],
  [checkAlias, 'CNAME'],
  [checkFlattened, 'ALIAS'],
  [checkDname, 'DNAME'],
  [checkSets],
  [checkNameServers, 'NS'],
  [checkTargets, 'MX', 'NS', 'SRV', 'CNAME'],
  [checkNullTargets, 'MX', 'SRV'],
  [checkKeyPlace, 'DS', ...APEX_TYPES.keys()],
  [checkWildcardData, 'NS', 'DNAME'],
  [checkAddresses, 'A', 'AAAA'],
  [checkServiceBindings, 'SVCB', 'HTTPS'],
  [checkCaa, 'CAA'],
  [checkSpf, 'TXT', 'SPF'],
  [checkDkim, 'TXT'],
  [checkDmarc, 'TXT'],
  [checkMtaSts, 'TXT'],
  [checkTlsReports, 'TXT'],
]

type Rule = (node: OwnerNode) => Problem[]

function rulesOf(...own: string[]): Rule[] {
  return OWNER_RULES.flatMap(([rule, ...types]) => {
    return types.length === 0 || types.some((type) => own.includes(type)) ? [rule] : []
  })
}

/** Everything that DNS forbids, or that does not do what it seems to, in the records of all zones. */
export function checkZones(names: Names): Problem[] {
  const zones = [...names.zones].flatMap(([apex, zone]) => checkZone(apex, zone, names))
  return [...zones, ...checkChains(names)]
}

function checkZone(apex: string, { owners, hasCuts }: ZoneNames, names: Names): Problem[] {
  const glue = hasCuts ? glueOf(owners, names) : undefined
  const problems: Problem[] = []
  const rulesOfOne = new Map<string, Rule[]>()
  for (const owner of owners) {
    const types = names.owners.get(owner)!
    const node: OwnerNode = { owner, apex, types, names }
    for (const rule of types.isSeveral ? rulesOf(...types.keys()) : lone(types.first.type))
      problems.push(...rule(node))
    if (glue !== undefined) problems.push(...checkPlace(node, glue))
  }
  return [...problems, ...checkReach(owners, apex, names)]

  function lone(type: string): Rule[] {
    let rules = rulesOfOne.get(type)
    if (rules === undefined) rulesOfOne.set(type, (rules = rulesOf(type)))
    return rules
  }
}
