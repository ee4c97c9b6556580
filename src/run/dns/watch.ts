import { getServers } from 'node:dns'
import { join } from 'node:path'
import type { Log } from '#core/log.ts'
import { readIfThere, replaceFile } from '#core/state-file.ts'
import { createAliasTargets, type FoundAddresses } from '#dns/alias-targets.ts'
import { type Asked, askServer } from '#dns/ask.ts'
import { lookup } from '#dns/lookup.ts'
import type { AliasAddresses, DnsOverlay } from '#dns/overlay-plan.ts'
import type { AliasPlan, DnsPlan, ZonePlan } from '#dns/plan.ts'
import { createPoolChecks } from '#dns/pools/checks.ts'
import type { Message } from '#dns/wire/message.ts'
import { lowerName, parseName } from '#dns/wire/name.ts'
import { parseRdata, printRdata } from '#dns/wire/rdata.ts'
import { RCODE, TYPE } from '#dns/wire/types.ts'
import { compileZones, type Zones } from '#dns/zone.ts'
import { parseResolver } from './resolver.ts'

/** What the main thread finds out for zones that are served: who of pools is up, where targets of ALIAS are. */
export type DnsWatch = {
  /**
   * Watch what this Plan wants; ready when all is known that can be, or after `FIRST_MS`.
   *
   * @param zones of the Plan as they will be served
   */
  replace(plan: DnsPlan, zones: readonly ZonePlan[]): Promise<void>
  /** These zones are served in other versions now: those of ours that an ALIAS leads to may have other addresses. */
  changed(apexes: readonly string[]): void
  overlay(): DnsOverlay
  close(): void
}

export type DnsWatchOptions = {
  readonly stateFolder: string
  readonly log: Log
  /** zones as they are served, with dynamic updates; null while none are */
  readonly served: () => Zones | null
  readonly onChange: (overlay: DnsOverlay) => void
}

/** Nobody waits longer for a first answer than for a slow check: what is found later is told later. */
const FIRST_MS = 3000
const ASK_MS = 2500
/** TTL of an answer without any, in seconds. */
const NEGATIVE_TTL = 60

/** @throws {Error} when state is there and cannot be read */
export async function createDnsWatch(options: DnsWatchOptions): Promise<DnsWatch> {
  const { stateFolder, log, served, onChange } = options
  const path = join(stateFolder, 'dns', 'aliases.json')
  let plan: DnsPlan | undefined
  /** of a Plan that is not served yet */
  let planned: Zones | null = null
  let saving: Promise<void> = Promise.resolve()
  const overlay = (): DnsOverlay => ({ health: checks.health(), aliases: targets.addresses() })
  const checks = createPoolChecks({
    now: Date.now,
    onChange(member, isUp, detail) {
      log(isUp ? 'info' : 'warning', isUp ? 'pool member up' : 'pool member down', { member, detail })
      onChange(overlay())
    },
  })
  const targets = createAliasTargets({
    resolve,
    known: parseSaved(await readIfThere(path)),
    onChange(owner, _, fault) {
      if (fault !== undefined) log('warning', 'alias target not found', { owner, fault })
      onChange(overlay())
      save()
    },
  })

  /** Names of ours are known here; the rest is asked of a resolver. */
  async function resolve(name: string, type: 'A' | 'AAAA'): Promise<FoundAddresses | string> {
    const zones = planned ?? served()
    const own = zones === null ? undefined : lookUpOwn(zones, name, type)
    if (own !== undefined) return own
    const server = resolverOf(plan)
    if (server === undefined) return 'this machine names no resolver: "dns": { "resolver": "9.9.9.9" }'
    const said = await askServer(server, { name, type, recursive: true, timeoutMs: ASK_MS })
    return typeof said === 'string' ? said : addressesOf(said, TYPE[type])
  }

  /** One after the other, so that the last one stays. */
  function save(): void {
    const found = targets.addresses()
    const all = aliasesOf(plan).flatMap(({ owner, target }) => {
      return found[owner] === undefined ? [] : [[`${owner} ${target}`, found[owner]]]
    })
    saving = saving
      .then(() => replaceFile(path, JSON.stringify(Object.fromEntries(all)), 0o644))
      .catch((error: unknown) => log('warning', 'dns: aliases not saved', { error: String(error) }))
  }

  return {
    async replace(next, zones) {
      plan = next
      planned = aliasesOf(next).length === 0 ? null : compileZones(zones, new Map())
      const known = Promise.all([checks.replace(next.pools), targets.replace(aliasesOf(next))])
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, FIRST_MS)))
      await Promise.race([known, late])
      clearTimeout(timer)
    },
    changed(apexes) {
      planned = null
      targets.again((target) => apexes.some((apex) => target === apex || target.endsWith(`.${apex}`)))
    },
    overlay,
    close() {
      checks.close()
      targets.close()
    },
  }
}

function aliasesOf(plan: DnsPlan | undefined): AliasPlan[] {
  return plan?.zones.flatMap(({ aliases = [] }) => aliases) ?? []
}

function resolverOf(plan: DnsPlan | undefined): Asked | undefined {
  const named = plan?.manner.resolver ?? getServers()[0]
  return named === undefined ? undefined : parseResolver(named)
}

/** The addresses of a name in our zones; undefined where others know more. */
function lookUpOwn(zones: Zones, name: string, type: 'A' | 'AAAA'): FoundAddresses | string | undefined {
  const { reason, answers } = lookup(zones, lowerName(parseName(name) as Uint8Array), TYPE[type])
  const last = answers.at(-1)
  const ttl = Math.min(...answers.map(({ plan }) => plan.ttl), NEGATIVE_TTL)
  if (reason.startsWith('nodata')) return { addresses: [], ttl }
  if (last?.type === TYPE[type]) return { addresses: last.plan.data, ttl }
  return reason === 'nxdomain' || reason.startsWith('servfail') ? `${name} ${type}: ${reason}` : undefined
}

function addressesOf({ rcode, answer, authority }: Message, type: number): FoundAddresses | string {
  if (rcode !== RCODE.NOERROR && rcode !== RCODE.NXDOMAIN) return `the resolver says rcode ${rcode}`
  const own = answer.filter((record) => record.type === type)
  const soa = authority.find((record) => record.type === TYPE.SOA)
  const ttls = own.length > 0 ? answer.map((record) => record.ttl) : [soa?.ttl ?? NEGATIVE_TTL]
  return { addresses: own.map(({ rdata }) => printRdata(type, rdata)).sort(), ttl: Math.min(...ttls) }
}

/** What was saved; anything else is as good as nothing, as it only bridges a failure. */
function parseSaved(text: string | null): Readonly<Record<string, AliasAddresses>> {
  if (text === null) return {}
  try {
    const entries = Object.entries(JSON.parse(text) as Record<string, AliasAddresses>)
    return Object.fromEntries(entries.filter(([, found]) => isSaved(found)))
  } catch {
    return {}
  }
}

function isSaved({ ipv4, ipv6, ttl }: AliasAddresses): boolean {
  const are = (addresses: readonly string[], type: number): boolean =>
    Array.isArray(addresses) && addresses.every((text) => typeof parseRdata(type, String(text)) !== 'string')
  return are(ipv4, TYPE.A) && are(ipv6, TYPE.AAAA) && Number.isInteger(ttl) && ttl >= 0
}
