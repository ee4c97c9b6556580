import type { Request } from './exchange.ts'
import type { ServicePlan } from './service-plan.ts'

/** What a choice knows of one origin. */
export type Candidate = {
  readonly isDown: boolean
  /** requests it has at the moment */
  readonly load: number
  /** when it came back, in milliseconds of the clock of `Ask`; `-Infinity` when it was never away */
  readonly upSince: number
}

/** What a choice knows of the request. */
export type Ask = {
  readonly now: number
  /** 0 to 1 without 1 */
  readonly random: number
  /** what the hash is taken of; anything for other policies */
  readonly key: string
  /** indexes of the origins that have failed this request */
  readonly tried: readonly number[]
}

/** Why an origin was chosen: the same words in log and explain. */
export type BalanceReason =
  | 'the only origin'
  | 'its turn'
  | 'fewest requests'
  | 'first available'
  | 'at random'
  | 'by hash'
  | 'all are down: tried all the same'

export type Choice = { readonly index: number; readonly reason: BalanceReason }

/** The origins of a service, and whose turn it is. Only `choose` changes it. */
export type Balance = {
  readonly policy: NonNullable<ServicePlan['policy']> | 'round-robin'
  readonly weights: readonly number[]
  readonly slowStartMs: number
  /** by origin, a hash of its id */
  readonly seeds: readonly number[]
  /** by origin, the share that it is owed */
  readonly owed: number[]
}

const ONLY: Choice = { index: 0, reason: 'the only origin' }
// An origin that came back begins with this part of its share.
const LEAST_SHARE = 0.1

/** The state that `choose` begins with. */
export function createBalance(plan: ServicePlan): Balance {
  const { origins, policy = 'round-robin', weights, slowStartMs = 0 } = plan
  return {
    policy,
    weights: weights ?? origins.map(() => 1),
    slowStartMs,
    seeds: origins.map(({ id }) => hashText(id)),
    owed: origins.map(() => 0),
  }
}

/**
 * Choose the origin for a request.
 *
 * Those that are down are left out as long as another is there; those tried are always left out.
 *
 * @param candidates in the order of the plan
 * @returns undefined when all were tried
 * @example choose(balance, pools, { now, random: Math.random(), key: '', tried: [] })?.index
 */
export function choose(balance: Balance, candidates: readonly Candidate[], ask: Ask): Choice | undefined {
  const { now, tried } = ask
  if (candidates.length === 1) return tried.length > 0 ? undefined : ONLY
  const left: number[] = []
  let up = 0
  for (let i = 0; i < candidates.length; i++) {
    if (tried.includes(i)) continue
    // Those that are up stand first, both kinds in order.
    if (candidates[i]!.isDown) left.push(i)
    else left.splice(up++, 0, i)
  }
  if (left.length === 0) return undefined
  if (up > 0) left.length = up
  const shares = left.map((i) => shareOf(balance, i, candidates[i]!, now))
  const [at, reason] = pick(balance, { left, shares, candidates, ask })
  return { index: left[at]!, reason: up > 0 ? reason : 'all are down: tried all the same' }
}

/** What the hash of a request is taken of; a request without the field or cookie goes by its client's address. */
export function balanceKey({ policy }: Balance, { client, fields }: Request): string {
  if (typeof policy === 'string') return ''
  if (policy.hash === 'header') return fields.get(policy.name) ?? client.address
  if (policy.hash === 'cookie') return cookieOf(fields.all('cookie'), policy.name) ?? client.address
  return client.address
}

/** RFC 6265 §4.2.1: pairs with "; " between them. */
function cookieOf(values: readonly string[], name: string): string | undefined {
  const pairs = values.flatMap((value) => value.split(';')).map((pair) => pair.trim())
  return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1)
}

type Left = {
  readonly left: readonly number[]
  readonly shares: readonly number[]
  readonly candidates: readonly Candidate[]
  readonly ask: Ask
}

/** @returns the place in `left` */
function pick(balance: Balance, { left, shares, candidates, ask }: Left): [number, BalanceReason] {
  const { policy } = balance
  if (policy === 'round-robin') return [takeTurn(balance, left, shares), 'its turn']
  if (policy === 'first-available') return [0, 'first available']
  if (policy === 'random') return [atRandom(shares, ask.random), 'at random']
  if (policy === 'least-connections') {
    const loads = left.map((i, at) => (candidates[i]!.load + 1) / shares[at]!)
    const least = Math.min(...loads)
    // Among equals in turn: the first of the list would have all requests of a quiet service.
    const equals = shares.map((share, at) => (loads[at] === least ? share : 0))
    return [takeTurn(balance, left, equals), 'fewest requests']
  }
  // The weights as written: a share that grows would move keys all the time.
  const key = hashText(ask.key)
  const scores = left.map((i) => balance.weights[i]! / -Math.log(unit(mix(key ^ balance.seeds[i]!))))
  return [largest(scores), 'by hash']
}

function shareOf(
  { weights, slowStartMs }: Balance,
  index: number,
  { upSince }: Candidate,
  now: number,
): number {
  const weight = weights[index]!
  if (now - upSince >= slowStartMs) return weight
  return weight * Math.max(LEAST_SHARE, (now - upSince) / slowStartMs)
}

/** Smooth weighted round robin: each is owed its share every turn, who is owed most has it and pays for all. */
function takeTurn({ owed }: Balance, left: readonly number[], shares: readonly number[]): number {
  let total = 0
  let best = -1
  for (let at = 0; at < left.length; at++) {
    const share = shares[at]!
    if (share === 0) continue
    total += share
    owed[left[at]!]! += share
    if (best < 0 || owed[left[at]!]! > owed[left[best]!]!) best = at
  }
  owed[left[best]!]! -= total
  return best
}

function atRandom(shares: readonly number[], random: number): number {
  let rest = random * shares.reduce((sum, share) => sum + share, 0)
  return Math.max(
    shares.findIndex((share) => (rest -= share) < 0),
    0,
  )
}

function largest(scores: readonly number[]): number {
  return scores.indexOf(Math.max(...scores))
}

/** FNV-1a over UTF-16 code units, mixed: 32 bits. */
function hashText(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return mix(hash)
}

/** The end of MurmurHash3: every bit depends on all. */
function mix(value: number): number {
  let hash = value
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** Between 0 and 1, neither included. */
function unit(hash: number): number {
  return (hash + 0.5) / 2 ** 32
}
