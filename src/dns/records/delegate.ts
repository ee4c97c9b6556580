import type { ZoneInput } from '#dns/plan.ts'
import { parentOf, zoneOf } from './names.ts'
import type { RecordDraft } from './read-records.ts'

type Drafted = { readonly input: ZoneInput; readonly drafts: readonly RecordDraft[] }

/**
 * Let each zone delegate those of ours that begin below it (RFC 1034 §4.2.1): its DS and its copies at other servers
 * would deny the name otherwise. A delegation that was written stays as it is.
 *
 * @returns the same zones in the same order
 */
export function delegateChildren(zones: readonly Drafted[]): Drafted[] {
  const byApex = new Map(zones.map((zone) => [zone.input.apex, zone]))
  const cuts = new Map<string, RecordDraft[]>()
  for (const child of zones) {
    const parent = zoneOf(parentOf(child.input.apex), byApex)
    if (parent === undefined || nameServers(byApex.get(parent)!.drafts, child.input.apex).length > 0) continue
    cuts.set(parent, [...(cuts.get(parent) ?? []), ...cutOf(child)])
  }
  return zones.map((zone) => {
    const own = cuts.get(zone.input.apex)
    return own === undefined ? zone : { input: zone.input, drafts: [...zone.drafts, ...own] }
  })
}

/** The NS of a zone, and the addresses of those servers that stand in it: glue (RFC 9471 §3.1). */
function cutOf({ input, drafts }: Drafted): RecordDraft[] {
  const servers = nameServers(drafts, input.apex)
  const names = new Set(servers.map(({ data }) => data.toLowerCase()))
  const glue = drafts.filter(({ owner, type }) => (type === 'A' || type === 'AAAA') && names.has(owner))
  return [...servers, ...glue]
}

function nameServers(drafts: readonly RecordDraft[], apex: string): RecordDraft[] {
  return drafts.filter(({ owner, type }) => owner === apex && type === 'NS')
}
