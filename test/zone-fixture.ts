import type { RRsetPlan, ZonePlan } from '#dns/plan.ts'

/** For tests: lines `owner type rdata` as ZonePlan; owners are relative to the apex, rdata is absolute. */
export function zonePlan(apex: string, lines: readonly string[], key = 'key'): ZonePlan {
  const from = { file: 'test', line: 1, column: 1 }
  const rrsets = new Map<string, RRsetPlan>()
  for (const line of lines) {
    const [, label = '', type = '', data = ''] = /^(\S+) (\S+) (.*)$/.exec(line) ?? []
    const owner = label === '@' ? apex : apex === '.' ? `${label}.` : `${label}.${apex}`
    const known = rrsets.get(`${owner} ${type}`)
    const rrset: RRsetPlan = {
      owner,
      type,
      ttl: 3600,
      data: [...(known?.data ?? []), data],
      from,
      why: 'written',
    }
    rrsets.set(`${owner} ${type}`, rrset)
  }
  const soa = {
    mname: 'ns1.example.com.',
    rname: 'hostmaster.example.com.',
    refresh: 10_800,
    retry: 3600,
    expire: 1_209_600,
    minimum: 300,
    ttl: 3600,
  }
  return { id: `zone:${apex}`, key, from, apex, soa, rrsets: [...rrsets.values()] }
}
