import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Log } from '#core/log.ts'
import { askAdvice } from './advice.ts'
import { createAuthorities } from './authorities.ts'
import { AcmeError } from './client.ts'
import { chooseFallBack, type FallBack, sayFallBack, type Wish, wishWith } from './fall-back.ts'
import { issue } from './issue.ts'
import { type KeptState, standingFallBack, stateOf, type Wanted } from './kept-state.ts'
import { problem } from './order.ts'
import { createPlaces } from './places.ts'
import type { AcmePlan, AuthorityPlan } from './plan.ts'
import { type Proof, sayProof } from './proof.ts'
import { type CertificateRecord, type Kept, openRecord, sameNames } from './record.ts'
import { boundRenewal, type Need, nextNeed, patience, renewAfterTwoThirds } from './renew.ts'
import { type Said, sayProblem } from './say.ts'
import { seenFromHere } from './seen.ts'
import type { AcmeProblem } from './wire/objects.ts'
import { renewalIdentifier } from './wire/request.ts'

/** Keeps certificates of authorities: orders them, renews them, and hands them on. */
export type Keeper = {
  /**
   * From now on these are wanted, from these authorities. Those under way go on.
   *
   * @param wanted asked now and when it is put to use: names are granted meanwhile
   */
  replace(plan: AcmePlan, wanted: () => readonly Wanted[]): Promise<() => void>
  current(id: string): Kept | null
  states(): readonly KeptState[]
  /** Order again at once. @returns false when there is no such certificate */
  renew(id: string): boolean
  /** Replace the key of the account with each authority. */
  rollKeys(): Promise<void>
  close(): Promise<void>
}

export type KeeperOptions = {
  /** for accounts and certificates */
  readonly folder: string
  /** A certificate is there, or another one in its place. */
  readonly publish: (id: string) => void
  /** Show proofs to authorities; see `issue`. */
  readonly show: (proofs: readonly Proof[], signal: AbortSignal) => Promise<() => void>
  /** milliseconds since 1970 */
  readonly now: () => number
  /** 0 to 1 */
  readonly random: () => number
  readonly log: Log
}

type Item = {
  wanted: Wanted
  readonly record: CertificateRecord
  readonly ended: AbortController
  /** ends the wait for what is next */
  wake: AbortController
  doing: KeptState['doing']
  nextAt: number | null
  isAsked: boolean
  run: Promise<void>
}

/** Orders at a time: an authority limits requests a second, and each waits for the network anyway. */
const ORDERS_AT_ONCE = 4
/** A laptop that slept sees the clock of the wall at least so often. */
const LONGEST_WAIT_MS = 60 * 60_000
/** Between two orders for one certificate, also when our clock or the advice is wrong. */
const REST_MOST_MS = 60_000
/** After so long what was refused is asked for again, when a certificate is due. */
const FALL_BACK_MS = 24 * 60 * 60_000
/** Nothing is lost when an order does not end with the program. */
const CLOSE_LIMIT_MS = 2000

type Failed = {
  readonly authority: AuthorityPlan
  /** that were ordered */
  readonly names: readonly string[]
  readonly error: unknown
  readonly shown: readonly Proof[]
}

const BESIDE = '+rsa'

/** The id of the certificate with a key of RSA that stands beside one. */
export function besideOf(id: string): string {
  return `${id}${BESIDE}`
}

/** @example const keeper = createKeeper(options); (await keeper.replace(plan, () => wanted))() */
export function createKeeper(options: KeeperOptions): Keeper {
  const { folder, publish, show, now, random, log } = options
  const items = new Map<string, Item>()
  /** of certificates that are wanted next: what was kept serves from the first handshake on */
  const opened = new Map<string, CertificateRecord>()
  const authorities = createAuthorities({ folder, now, log })
  const places = createPlaces(ORDERS_AT_ONCE)
  let plan: AcmePlan = { authorities: [], challenges: [], keyType: 'ecdsa' }

  async function replace(next: AcmePlan, wantedNow: () => readonly Wanted[]): Promise<() => void> {
    const missing = wantedNow().filter(({ id }) => !items.has(id))
    opened.clear()
    for (const { id, names } of missing) {
      // The one beside another has its own files.
      const name = id.endsWith(BESIDE) ? `${names[0]!}${BESIDE}` : names[0]!
      opened.set(id, await openRecord(join(folder, 'certificates'), name))
    }
    return () => {
      plan = next
      const wanted = wantedNow()
      const ids = new Set(wanted.map(({ id }) => id))
      for (const [id, item] of items) if (!ids.has(id)) end(id, item)
      for (const each of wanted) {
        const item = items.get(each.id)
        const record = opened.get(each.id)
        if (item === undefined) {
          // What was granted since is started by its own grant.
          if (record !== undefined) start(each, record)
        } else {
          item.wanted = each
          item.wake.abort()
        }
      }
    }
  }

  function start(wanted: Wanted, record: CertificateRecord): void {
    const item: Item = {
      wanted,
      record,
      ended: new AbortController(),
      wake: new AbortController(),
      doing: 'waiting',
      nextAt: null,
      isAsked: false,
      run: Promise.resolve(),
    }
    items.set(wanted.id, item)
    item.run = run(item).catch((error: unknown) => {
      log('error', 'certificate not kept', { certificate: wanted.id, error: String(error) })
    })
  }

  function end(id: string, item: Item): void {
    items.delete(id)
    item.ended.abort()
    item.wake.abort()
  }

  /** The life of one certificate. */
  async function run(item: Item): Promise<void> {
    while (!item.ended.signal.aborted) {
      const need = needOf(item)
      item.nextAt = need.what === 'order' ? need.at : (item.record.journal.renewal?.at ?? null)
      const waitMs = need.at - now()
      if (waitMs > 0) {
        item.wake = new AbortController()
        await pause(Math.min(waitMs, LONGEST_WAIT_MS), undefined, { signal: item.wake.signal }).catch(
          () => {},
        )
        continue
      }
      if (need.what === 'advice') await chooseTime(item)
      else await places.within(() => (item.ended.signal.aborted ? undefined : order(item, need.authority)))
    }
  }

  function needOf({ wanted, record, isAsked }: Item): Need {
    const { kept, journal } = record
    const { failures, order: underWay } = journal
    if (isAsked) return { what: 'order', authority: plan.authorities[0]!, at: 0 }
    const { names } = wishOf(wanted, record)
    const isOpen = underWay?.url != null && sameNames(underWay.names, names)
    const isWanted = kept !== null && isAsWanted(kept, journal.authority, { ...wanted, names })
    const renewal = isWanted ? (journal.renewal ?? twoThirds(kept)) : null
    return nextNeed(
      { renewal, failures, underWay: isOpen ? underWay.authority : null },
      plan.authorities,
      now(),
    )
  }

  /** What is ordered now: what is wanted, or what stands in for it since it was refused. */
  function wishOf(wanted: Wanted, record: CertificateRecord): Wish {
    const { names, challenges = plan.challenges, single = [] } = wanted
    return wishWith(standingFallBack(wanted, record), { names, challenges }, single)
  }

  /** Another name, kind of key or list of authorities in the file: the one in use serves until there is another. */
  function isAsWanted(kept: Kept, issuedBy: string | null, { names, keyType }: Wanted): boolean {
    const isListed = plan.authorities.some(({ directory }) => directory === issuedBy)
    return sameNames(kept.names, names) && kept.keyType === keyType && (issuedBy === null || isListed)
  }

  /** Until the journal has better: the same time whenever it is asked for. */
  function twoThirds(kept: Kept): { at: number; askAt: null } {
    return { at: renewAfterTwoThirds(kept, 0.5), askAt: null }
  }

  async function order(item: Item, authority: AuthorityPlan): Promise<void> {
    const { wanted, record, ended } = item
    const { id } = wanted
    const shown: Proof[] = []
    const began = performance.now()
    item.doing = 'ordering'
    // What was refused once may be granted now.
    const isOld = (record.journal.fallBack?.at ?? Number.POSITIVE_INFINITY) < now() - FALL_BACK_MS
    if (item.isAsked || isOld) await record.note({ fallBack: null }).catch(sayUnwritten)
    item.isAsked = false
    const { kept, journal } = record
    const { names, challenges } = wishOf(wanted, record)
    const underWay = journal.order
    const isSame = underWay?.authority === authority.directory && sameNames(underWay.names, names)
    log('info', 'certificate ordered', {
      certificate: id,
      names: names.join(' '),
      authority: hostOf(authority),
    })
    try {
      const { client, account } = await authorities.open(authority)
      const issued = await issue({
        client,
        account,
        authority,
        names,
        keyType: wanted.keyType,
        challenges,
        underWay: isSame ? underWay : null,
        replaces: kept === null ? null : renewalIdentifier(kept.leaf),
        note: (under) => record.note({ order: under }),
        show: (proofs) => {
          shown.push(...proofs)
          return show(proofs, ended.signal)
        },
        signal: ended.signal,
        log,
      })
      const done = { authority: authority.directory, renewal: null, tookMs: performance.now() - began }
      const next = await record.keep(issued, names, done)
      publish(id)
      log('info', 'certificate issued', { certificate: id, until: new Date(next.notAfter).toISOString() })
      await chooseTime(item, now() + Math.min((next.notAfter - next.notBefore) / 10, REST_MOST_MS))
    } catch (error) {
      if (!ended.signal.aborted) await fail(item, { authority, names, error, shown })
    } finally {
      item.doing = 'waiting'
    }
  }

  async function fail({ wanted, record }: Item, { authority, names, error, shown }: Failed): Promise<void> {
    const { kept, journal } = record
    const told = error instanceof AcmeError ? error : new AcmeError(problem('internal', String(error)))
    const seen = await lookAround(told.problem, shown, names)
    const proofs = shown.map(sayProof)
    const refusal = sayProblem(told.problem, { authority: hostOf(authority), names, shown: proofs, seen })
    const before = standingFallBack(wanted, record)
    // What was refused first is what somebody can mend.
    const said =
      before === null ? refusal : { message: `${before.message} ${refusal.message}`, fix: before.fix }
    const count = (journal.failures[authority.directory]?.count ?? 0) + 1
    const fallBack = fallBackFor({ wanted, record }, authority, { ...said, problem: told.problem })
    const remainingMs = kept === null ? null : kept.notAfter - now()
    const wasHeard = told.problem.type !== 'unreachable'
    const waitMs = patience(count, told.retryAfterMs, { remainingMs, random: random(), wasHeard })
    // The first refusal of all costs little: what may replace it is ordered at once.
    const isQuick = fallBack !== null && count === 1 && told.retryAfterMs === null
    const failure = { count, notBefore: now() + waitMs, at: now(), ...said }
    if (told.problem.type === 'accountDoesNotExist') (await authorities.open(authority)).account.forget()
    const stays = /^(unreachable|rateLimited|serverInternal|badNonce|internal)$/.test(told.problem.type)
    const failures = isQuick ? {} : { failures: { ...journal.failures, [authority.directory]: failure } }
    await record.note({ fallBack, ...failures, ...(stays ? {} : { order: null }) }).catch(sayUnwritten)
    log(isQuick ? 'warning' : 'error', 'certificate not issued', {
      certificate: wanted.id,
      why: fallBack === null ? said.message : sayFallBack(fallBack),
      fix: said.fix,
      again: new Date(isQuick ? now() : failure.notBefore).toISOString(),
    })
  }

  /** Each is tried in turn: what is wanted, what may replace it, and so on; other authorities come first. */
  function fallBackFor(
    { wanted, record }: Pick<Item, 'wanted' | 'record'>,
    authority: AuthorityPlan,
    refusal: Said & { readonly problem: AcmeProblem },
  ): FallBack | null {
    const { failures } = record.journal
    if (standingFallBack(wanted, record) !== null) return null
    const others = plan.authorities.filter(({ directory }) => directory !== authority.directory)
    if (others.some(({ directory }) => (failures[directory]?.notBefore ?? 0) <= now())) return null
    const { problem: found, message, fix } = refusal
    const without = chooseFallBack(found, wishOf(wanted, record), wanted.single ?? [])
    return without && { of: wanted.names, without, at: now(), message, fix }
  }

  /** Choose when to renew: as the authority advises, else after two thirds of the lifetime; not before `earliest`. */
  async function chooseTime({ record, wanted }: Item, earliest = 0): Promise<void> {
    const { kept, journal } = record
    if (kept === null) return
    const chance = { now: now(), random: random() }
    const usual = journal.renewal ?? { at: renewAfterTwoThirds(kept, chance.random) }
    const issuer = plan.authorities.find(({ directory }) => directory === journal.authority)
    try {
      const opened = issuer === undefined ? null : await authorities.open(issuer)
      const advice = opened && (await askAdvice(opened.client, kept, journal.renewal, chance))
      const renewal = advice ?? { ...usual, askAt: null }
      await record.note({ renewal: { ...renewal, at: boundRenewal(renewal.at, kept, earliest) } })
    } catch (error) {
      log('debug', 'acme: no advice on renewal', { certificate: wanted.id, error: String(error) })
      const renewal = { at: boundRenewal(usual.at, kept, earliest), askAt: now() + LONGEST_WAIT_MS }
      await record.note({ renewal }).catch(sayUnwritten)
    }
  }

  /** What is known in memory is enough to go on. */
  function sayUnwritten(fault: unknown): void {
    log('error', 'acme: state cannot be written', { error: String(fault) })
  }

  return {
    replace,
    current: (id) => (items.get(id)?.record ?? opened.get(id))?.kept ?? null,
    states: () => [...items.values()].map(stateOf),
    renew(id) {
      const item = items.get(id)
      if (item === undefined) return false
      item.isAsked = true
      item.wake.abort()
      return true
    },
    async rollKeys() {
      for (const authority of plan.authorities) await (await authorities.open(authority)).account.rollKey()
    },
    async close() {
      const running = [...items.values()].map(({ run: ended }) => ended)
      for (const [id, item] of items) end(id, item)
      authorities.close()
      await Promise.race([Promise.all(running), pause(CLOSE_LIMIT_MS, undefined, { ref: false })])
    },
  }
}

/** Only where a record is the matter. */
async function lookAround(
  { type }: AcmeProblem,
  shown: readonly Proof[],
  names: readonly string[],
): Promise<string> {
  const proof = shown.find((each) => 'owner' in each)
  if (proof === undefined || !/^(unauthorized|dns|incorrectResponse|compound)$/.test(type)) return ''
  return seenFromHere(proof.owner, names[0]!.replace('*.', ''))
}

function hostOf({ directory }: AuthorityPlan): string {
  return new URL(directory).host
}
