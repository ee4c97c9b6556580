import type { Problem } from '#core/problem.ts'
import type { Names } from '#dns/records/names.ts'
import { checkAddresses } from './check/addresses.ts'
import { checkAlias, checkChains, checkDname, checkFlattened } from './check/aliases.ts'
import { checkCaa } from './check/caa.ts'
import { checkDkim } from './check/dkim.ts'
import { checkDmarc } from './check/dmarc.ts'
import type { OwnerNode } from './check/finding.ts'
import { checkOwnerName, checkServiceOwner } from './check/owners.ts'
import { checkKeyPlace, checkPlace, glueOf } from './check/place.ts'
import { checkMtaSts, checkTlsReports } from './check/policy-records.ts'
import { checkNameServers, checkSets } from './check/sets.ts'
import { checkSpf } from './check/spf.ts'
import { checkServiceBindings } from './check/svcb.ts'
import { checkNullTargets, checkTargets } from './check/targets.ts'
import { checkReach, checkWildcardData } from './check/wildcards.ts'

/** Rules about one owner, each in the file of its subject. */
const OWNER_RULES: readonly ((node: OwnerNode) => Problem[])[] = [
  checkOwnerName,
  checkServiceOwner,
  checkAlias,
  checkFlattened,
  checkDname,
  checkSets,
  checkNameServers,
  checkTargets,
  checkNullTargets,
  checkKeyPlace,
  checkWildcardData,
  checkAddresses,
  checkServiceBindings,
  checkCaa,
  checkSpf,
  checkDkim,
  checkDmarc,
  checkMtaSts,
  checkTlsReports,
]

/** Everything that DNS forbids, or that does not do what it seems to, in the records of all zones. */
export function checkZones(names: Names): Problem[] {
  const zones = [...names.zones].flatMap(([apex, owners]) => checkZone(apex, owners, names))
  return [...zones, ...checkChains(names)]
}

function checkZone(apex: string, owners: readonly string[], names: Names): Problem[] {
  const glue = glueOf(owners, names)
  const problems = owners.flatMap((owner) => {
    const node: OwnerNode = { owner, apex, types: names.owners.get(owner)!, names }
    return [...OWNER_RULES.flatMap((rule) => rule(node)), ...checkPlace(node, glue)]
  })
  return [...problems, ...checkReach(owners, apex, names)]
}
