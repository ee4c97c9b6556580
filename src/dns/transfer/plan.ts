import { isIP } from 'node:net'
import type { Path, Written } from '#config/source.ts'
import { networkKey, parseNetwork } from '#core/network.ts'
import { contentKey, type PlanNode } from '#core/node.ts'
import type { Position, Problem } from '#core/problem.ts'
import { absoluteName, ownerName } from '#dns/records/written-name.ts'
import type { Algorithm } from '../wire/tsig.ts'
import type { KeysConfig, MovesConfig, SecretConfig } from './config.ts'

/** A key without its secret. */
export type KeyPlan = PlanNode & {
  /** absolute, lower case */
  readonly name: string
  readonly algorithm: Algorithm
  readonly secret: SecretConfig
}

/** How the zone of a domain moves. */
export type MovePlan = PlanNode & {
  readonly apex: string
  readonly out: OutPlan | null
  readonly update: UpdatePlan | null
  readonly secondary: SecondaryPlan | null
  /** a copy that lists other zones, which are copied too (RFC 9432 §5) */
  readonly isCatalog: boolean
}

/** Who may copy the zone: from these networks, and with this key where one is named. */
export type OutPlan = {
  /** null: from anywhere, with the key */
  readonly to: readonly string[] | null
  /** absolute name */
  readonly key: string | null
  readonly notify: readonly ServerPlan[]
}

export type UpdatePlan = {
  readonly keys: readonly string[]
  /** absolute; `*.dyn.example.com.` is all below; null: all of the zone */
  readonly names: readonly string[] | null
}

export type SecondaryPlan = { readonly from: readonly ServerPlan[]; readonly key: string | null }

export type ServerPlan = { readonly address: string; readonly port: number }

export type MovesInput = {
  readonly written: Written
  readonly keys: KeysConfig
  readonly domains: readonly MovingDomain[]
}

export type MovingDomain = {
  readonly apex: string
  readonly path: Path
  readonly config: MovesConfig & { readonly records: object; readonly dnssec?: unknown }
}

export type Moves = { readonly keys: readonly KeyPlan[]; readonly moves: readonly MovePlan[] }

const DNS_PORT = 53

/** Decide who may copy, change or feed each zone, and check it. */
export function planMoves(input: MovesInput): Moves & { readonly problems: Problem[] } {
  const reading: Reading = { ...input, names: new Map(), problems: [] }
  const keys = Object.entries(input.keys).flatMap(([text, key]) => planKey(text, key, reading))
  const moves = input.domains.flatMap((domain) => planMove(domain, reading))
  return { keys, moves, problems: reading.problems }
}

type Reading = MovesInput & { readonly names: Map<string, string>; readonly problems: Problem[] }

function planKey(text: string, { algorithm, secret }: KeysConfig[string], reading: Reading): KeyPlan[] {
  const from = reading.written.keyAt(['keys', text])
  const name = absoluteName(text.endsWith('.') ? text : `${text}.`)
  if (typeof name !== 'string') {
    reading.problems.push({ level: 'error', at: from, ...name })
    return []
  }
  reading.names.set(text, name)
  const key = contentKey([name, algorithm, secret])
  return [{ id: `key:${name.slice(0, -1)}`, key, from, name, algorithm, secret }]
}

function planMove(domain: MovingDomain, reading: Reading): MovePlan[] {
  const { apex, path, config } = domain
  const { transfer, secondary, update } = config
  if (transfer === undefined && secondary === undefined && update === undefined) return []
  const from = reading.written.keyAt(path)
  const plan = {
    apex,
    out: planOut(domain, reading),
    update: planUpdate(domain, reading),
    secondary: planSecondary(domain, reading),
    isCatalog: secondary !== undefined && config.catalog,
  }
  return [{ id: `move:${apex.slice(0, -1)}`, key: contentKey(plan), from, ...plan }]
}

function planOut({ config: { transfer }, path }: MovingDomain, reading: Reading): OutPlan | null {
  if (transfer === undefined) return null
  const at = [...path, 'transfer']
  if (transfer.to === undefined && transfer.key === undefined) {
    const message = '"transfer" names neither "to" nor "key", so everyone could copy the zone.'
    report(reading, at, 'dns/transfer-to-anyone', message, '"transfer": { "to": ["192.0.2.53"] }')
  }
  const to = (transfer.to ?? []).filter((text, index) => {
    if (parseNetwork(text) !== undefined) return true
    const message = `"to" has "${text}"; an address, or a network with the length of its prefix (RFC 4632 §3.1), is wanted.`
    report(
      reading,
      itemPath([...at, 'to'], transfer.to!, index),
      'dns/not-a-network',
      message,
      '"to": ["192.0.2.0/24"]',
    )
    return false
  })
  const told = transfer.notify ?? to.filter((text) => isIP(text) !== 0)
  return {
    to: transfer.to === undefined ? null : to,
    key: keyOf(transfer.key, [...at, 'key'], reading),
    notify: serversOf(told, [...at, transfer.notify === undefined ? 'to' : 'notify'], reading),
  }
}

function planSecondary({ apex, config, path }: MovingDomain, reading: Reading): SecondaryPlan | null {
  const { secondary, records } = config
  if (secondary === undefined) return null
  const at = [...path, 'secondary']
  const isSet = (name: 'update' | 'dnssec'): boolean => Boolean(config[name])
  const own = Object.keys(records).length > 0 ? 'records' : (['update', 'dnssec'] as const).find(isSet)
  if (own !== undefined) {
    const message = `"${apex.slice(0, -1)}" is copied from its primary, and has "${own}" of its own: there is one place where a zone is changed (RFC 1034 §4.3.5).`
    report(reading, [...path, own], 'dns/secondary-with-own', message, `remove "${own}", or "secondary"`)
  }
  return {
    from: serversOf(secondary.from, [...at, 'from'], reading),
    key: keyOf(secondary.key, [...at, 'key'], reading),
  }
}

function planUpdate({ apex, config: { update }, path }: MovingDomain, reading: Reading): UpdatePlan | null {
  if (update === undefined) return null
  const at = [...path, 'update']
  const keys = update.keys.flatMap((text, index) => {
    return keyOf(text, itemPath([...at, 'keys'], update.keys, index), reading) ?? []
  })
  const names = update.names?.flatMap((text, index) => {
    const name = ownerName(text, apex)
    if (typeof name === 'string') return name
    const place = reading.written.at(itemPath([...at, 'names'], update.names!, index))
    reading.problems.push({ level: 'error', at: place, ...name })
    return []
  })
  return { keys, names: names ?? null }
}

/** A single item may stand without brackets. */
function itemPath(path: Path, items: readonly unknown[], index: number): Path {
  return items.length > 1 ? [...path, index] : path
}

function keyOf(text: string | undefined, path: Path, { keys, names, ...reading }: Reading): string | null {
  if (text === undefined) return null
  const name = names.get(text)
  if (name !== undefined) return name
  // A key whose name is wrong was reported where it stands.
  if (Object.hasOwn(keys, text)) return null
  const known = Object.keys(keys).map((key) => `"${key}"`)
  const message = `There is no key "${text}"; "keys" has ${known.join(', ') || 'none'}.`
  const fix = `"keys": { ${JSON.stringify(text)}: { "secret": { "file": "./${text}.key" } } }`
  report({ ...reading, keys, names }, path, 'dns/unknown-key', message, fix)
  return null
}

function serversOf(texts: readonly string[], path: Path, reading: Reading): ServerPlan[] {
  return texts.flatMap((text, index) => {
    const found = parseServer(text)
    if (found !== undefined) return found
    const message = `"${text}" is no server; an address is wanted, with a port where that is not 53.`
    report(
      reading,
      itemPath(path, texts, index),
      'dns/not-a-server',
      message,
      '"192.0.2.53", "192.0.2.53:5353" or "[2001:db8::53]:5353"',
    )
    return []
  })
}

/** Read `192.0.2.1`, `192.0.2.1:5353`, `2001:db8::1` or `[2001:db8::1]:5353`. */
export function parseServer(text: string): ServerPlan | undefined {
  if (isIP(text) !== 0) return { address: text, port: DNS_PORT }
  const [, ipv6, ipv4, port] = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text) ?? []
  const address = ipv6 ?? ipv4 ?? ''
  const isAddress = isIP(address) === (ipv6 === undefined ? 4 : 6)
  return isAddress && Number(port) > 0 && Number(port) <= 65_535 ? { address, port: Number(port) } : undefined
}

function report(reading: Reading, path: Path, code: string, message: string, fix: string): void {
  const at: Position = reading.written.at(path)
  reading.problems.push({ level: 'error', code, at, message, fix })
}

/** Equal for equal addresses, however they are written. */
export function addressKey(address: string): string {
  const network = parseNetwork(address.replace(/^::ffff:(?=\d+\.)/i, ''))
  return network === undefined ? address : networkKey(network)
}
