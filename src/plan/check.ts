import type { Config } from '#config/load.ts'
import type { Position, Problem } from '#core/problem.ts'
import type { Names } from '#dns/check.ts'
import type { ZoneInput } from '#dns/plan.ts'
import type { RecordDraft } from '#dns/records.ts'
import { checkRoutes } from '#http/check.ts'
import type { HostPlan } from '#http/plan.ts'
import type { ProcessPlan } from '#processes/plan.ts'
import type { Facts } from './facts.ts'
import { checkListeners, type ListenerPlan } from './listeners.ts'
import type { HostDraft } from './plan.ts'

/** What the rules that cross services look at. */
export type Across = {
  readonly config: Config
  readonly facts: Facts
  /** hosts that are served here */
  readonly hosts: readonly HostDraft[]
  readonly plans: readonly HostPlan[]
  readonly processes: readonly ProcessPlan[]
  readonly listeners: readonly ListenerPlan[]
  readonly names: Names
  readonly drafted: readonly { readonly input: ZoneInput; readonly drafts: readonly RecordDraft[] }[]
}

/** Rules that no service can check alone. */
export function checkAcross(across: Across): Problem[] {
  return [
    ...checkAddresses(across),
    ...across.hosts.flatMap((host) => checkHostAddress(host, across)),
    ...checkStrayAddresses(across),
    ...checkListeners(across.listeners, localServices(across)),
    ...across.plans.filter(({ name }) => !name.endsWith('.localhost')).flatMap(checkRoutes),
  ]
}

function checkAddresses({ config, facts, hosts }: Across): Problem[] {
  const { address } = config.value
  const problems: Problem[] = (address ?? []).flatMap((text, index) => {
    if (isAddress(text)) return []
    const at = config.written.at(['address', index])
    const message = `address is "${text}"; an IPv4 or IPv6 address is wanted, for A and AAAA records (RFC 1035 §3.4.1, RFC 3596 §2.2).`
    return [{ level: 'error', code: 'plan/not-an-address', at, message, fix: '"address": ["203.0.113.10"]' }]
  })
  if (address !== undefined || facts.dev || facts.addresses.length > 0 || hosts.length === 0) return problems
  const message =
    'The file has no "address", and this machine has no public one: hosts get 127.0.0.1, which only this machine reaches.'
  problems.push({
    level: 'warning',
    code: 'plan/no-address',
    at: config.written.at([]),
    message,
    fix: '"address": ["203.0.113.10"]',
  })
  return problems
}

function isAddress(text: string): boolean {
  return /^\d{1,3}(\.\d{1,3}){3}$/.test(text)
    ? text.split('.').every((part) => Number(part) < 256)
    : URL.canParse(`http://[${text}]`)
}

/** A host that nobody can find, or that is found elsewhere than here. */
function checkHostAddress(host: HostDraft, { names, config, drafted }: Across): Problem[] {
  const types = names.owners.get(host.name)
  // A CNAME beside the host was reported as such; a host below a delegation too.
  if (types?.has('CNAME') === true) return []
  const addresses = [...(types?.get('A') ?? []), ...(types?.get('AAAA') ?? [])]
  if (addresses.length === 0) {
    const message = `"${host.text}" answers requests, but nothing gives ${host.name.slice(0, -1)} an address: nobody finds it.`
    return [
      {
        level: 'error',
        code: 'plan/host-without-address',
        at: host.at(),
        message,
        fix: 'remove its empty "A" or "AAAA" from "records", or set "address"',
      },
    ]
  }
  const ours = new Set(
    drafted.find(({ input }) => input.apex === host.apex)?.input.addresses ?? config.value.address,
  )
  const elsewhere = addresses.filter(({ data, why }) => why === 'written' && !ours.has(data))
  const first = elsewhere[0]
  if (first === undefined || elsewhere.length < addresses.length) return []
  const message = `"${host.text}" is a host here, but the record written for it points at ${first.data}; what is written wins over the address ${[...ours].join(', ')} that follows from the host.`
  return [
    {
      level: 'warning',
      code: 'plan/host-points-elsewhere',
      at: first.from,
      message,
      fix: `remove the record, or remove the host "${host.text}"`,
    },
  ]
}

/** An address of ours without a host: whoever asks for it over HTTP gets an error page. */
function checkStrayAddresses({ hosts, names, drafted }: Across): Problem[] {
  const served = new Set(hosts.map(({ name }) => name))
  const targets = targetNames(names)
  return drafted.flatMap(({ input, drafts }) => {
    const ours = new Set(input.addresses)
    return drafts.flatMap((draft): Problem[] => {
      const isStray =
        draft.why === 'written' && (draft.type === 'A' || draft.type === 'AAAA') && ours.has(draft.data)
      if (!isStray || targets.has(draft.owner) || isServed(draft.owner, served)) return []
      const text = draft.owner === input.apex ? '@' : draft.owner.slice(0, -input.apex.length - 1)
      const message = `"${text}" has the address ${draft.data} of this machine, but no host of that name answers here.`
      return [
        {
          level: 'warning',
          code: 'plan/address-without-host',
          at: draft.from,
          message,
          fix: `"hosts": { "${text}": { "service": 8080 } }, or remove the record`,
        },
      ]
    })
  })
}

function isServed(owner: string, served: ReadonlySet<string>): boolean {
  if (served.has(owner)) return true
  for (let name = owner; name.includes('.') && name !== '.'; name = name.slice(name.indexOf('.') + 1)) {
    if (served.has(`*.${name.slice(name.indexOf('.') + 1)}`)) return true
  }
  return false
}

/** Names that MX, NS, SRV and the like lead to: they need an address, not a host. */
function targetNames(names: Names): Set<string> {
  const targets = new Set<string>()
  for (const types of names.owners.values()) {
    for (const type of ['MX', 'NS', 'SRV', 'CNAME', 'SVCB', 'HTTPS']) {
      for (const { data } of types.get(type) ?? [])
        for (const word of data.split(' ')) targets.add(word.toLowerCase())
    }
  }
  return targets
}

/** Services at fixed ports of this machine. */
function localServices({
  plans,
  processes,
  listeners,
}: Across): { port: number; name: string; from: Position }[] {
  const fixed = processes
    .filter(({ port }) => port !== 0)
    .map(({ port, name, from }) => ({ port, name, from }))
  const ports = new Set(listeners.map(({ port }) => port))
  const origins = plans.flatMap(({ name, routes }) => {
    return routes.flatMap(({ action, from }) => {
      if (action.kind !== 'service' || name.endsWith('.localhost')) return []
      return action.origins
        .filter(({ host, port }) => /^(127\.|localhost$|::1$)/.test(host) && ports.has(port))
        .map(({ port }) => ({ port, name, from }))
    })
  })
  return [...origins, ...fixed]
}
