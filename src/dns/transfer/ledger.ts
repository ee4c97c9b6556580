import { isDeepStrictEqual } from 'node:util'
import type { Log } from '#core/log.ts'
import type { FindAliases } from '../alias-addresses.ts'
import type { ZoneKeys } from '../dnssec/plan.ts'
import type { DnsOverlay } from '../overlay-plan.ts'
import type { DnsPlan, ZonePlan } from '../plan.ts'
import { decodeMessage, type Message } from '../wire/message.ts'
import { lowerName, printName } from '../wire/name.ts'
import type { TsigKey, TsigKeys } from '../wire/tsig.ts'
import { RCODE, rcodeName } from '../wire/types.ts'
import { expiredVersion, fileOf, forgetCopies, isTooOld, readCopy } from './copies.ts'
import { type CopyWith, copiedOut, type GivenOut, openGivenOut, renewCopy } from './copy-out.ts'
import { count, type MoveCounts } from './counts.ts'
import { setKey, type Version } from './difference.ts'
import { type Errand, type ErrandReply, wishOf } from './gate.ts'
import { giveCopy, oneReply } from './give-copy.ts'
import { type Journal, openJournal } from './journal.ts'
import { type MemberPlan, planMembers, type ZoneNews } from './members.ts'
import { createNotifier } from './notify.ts'
import { mayChange } from './permit.ts'
import type { MovePlan } from './plan.ts'
import { createSecondary, type Secondary, type SecondaryState } from './secondary.ts'
import { createSlots } from './slots.ts'
import { createStreams } from './streams.ts'
import { applyUpdate, type UpdatedSet } from './update.ts'
import { layUpdates, mergeUpdates, UPDATES_LIMIT, type Updates } from './updates.ts'

/** All zones as they are at this moment: those of the file with updates laid over, and copies of primaries. */
export type Ledger = {
  /**
   * Work out the zones of a Plan. Until it is committed or aborted nothing else changes a zone.
   *
   * @throws {Error} when state cannot be read or written
   */
  prepare(dns: DnsPlan, keys: LedgerKeys, findAliases: FindAliases): Promise<PreparedZones>
  /** what is served */
  versions(): readonly Version[]
  /** zones of catalogs, which are copied too */
  members(): readonly MovePlan[]
  /** Answer what a client may ask: a transfer, an update, a NOTIFY. */
  ask(errand: Errand): Promise<ErrandReply>
  /** Go on with a transfer. */
  askMore(more: number): Promise<ErrandReply>
  secondaries(): SecondaryState[]
  /** These addresses were found for names with an ALIAS: copies have them too. */
  setAliases(aliases: DnsOverlay['aliases']): Promise<void>
  close(): void
}

/** What messages between servers and zones are signed with. */
export type LedgerKeys = { readonly tsig: TsigKeys; readonly dnssec: ZoneKeys }

export type PreparedZones = {
  readonly versions: readonly Version[]
  readonly members: readonly MovePlan[]
  commit(): void
  abort(): void
}

export type LedgerOptions = {
  /** of state, for what is known of zones */
  readonly folder: string
  /** The serial of each zone by its id, kept before it is used. */
  readonly advance: (zones: readonly ZonePlan[]) => Promise<ReadonlyMap<string, number>>
  /** Tell whoever answers. */
  readonly publish: (news: ZoneNews) => void
  readonly counts: MoveCounts
  readonly log: Log
}

/** What is known of one zone. */
type Entry = {
  version: Version
  /** as in the file; null for a copy */
  readonly base: ZonePlan | null
  updates: Updates
  readonly updateJournal: Journal<UpdatedSet> | null
  readonly move: MovePlan | null
  /** null where nobody may copy it */
  readonly out: GivenOut | null
}

/** So often it is looked whether signatures of copies are due. */
const RESIGN_EVERY_MS = 600_000
/** Primaries that are asked at a time. */
const FETCH_LIMIT = 16

/** Errands that wait for their turn; those beyond are told to come again. */
const WAITING_LIMIT = 1000

/** @example const ledger = createLedger(options); (await ledger.prepare(plan.dns, keys)).commit() */
export function createLedger({ folder, advance, publish, counts, log }: LedgerOptions): Ledger {
  const notifier = createNotifier(log)
  const streams = createStreams()
  const inSlot = createSlots(FETCH_LIMIT)
  /** one change after the other */
  const inTurn = createSlots(1)
  let entries = new Map<string, Entry>()
  let secondaries = new Map<string, Secondary>()
  let members: ReadonlyMap<string, MemberPlan> = new Map()
  let keys: LedgerKeys = { tsig: new Map(), dnssec: new Map() }
  let aliases: DnsOverlay['aliases'] = {}
  let waiting = 0
  const resigning = setInterval(() => void renewCopies(), RESIGN_EVERY_MS).unref()

  function keyNamed(name: string | null): TsigKey | null {
    return name === null ? null : (keys.tsig.get(name) ?? null)
  }

  const onFault = (catalog: string, why: string): void =>
    log('warning', 'dns: catalog not followed', { catalog, why })

  function prepare(dns: DnsPlan, nextKeys: LedgerKeys, findAliases: FindAliases): Promise<PreparedZones> {
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    const { promise, resolve, reject } = Promise.withResolvers<PreparedZones>()
    void inTurn(async () => {
      try {
        const next = await openEntries(dns, nextKeys, findAliases)
        const commit = (): void => {
          commitEntries(next, nextKeys)
          release()
        }
        const versions = [...next.entries.values()].map(({ version }) => version)
        resolve({ versions, members: [...next.members.values()], commit, abort: release })
      } catch (error) {
        release()
        reject(error)
      }
      await released
    })
    return promise
  }

  async function openEntries(
    { zones, moves }: DnsPlan,
    nextKeys: LedgerKeys,
    findAliases: FindAliases,
  ): Promise<NextEntries> {
    const moveOf = new Map(moves.map((move) => [move.apex, move]))
    const drafts = await Promise.all(zones.map((base) => openZone(base, moveOf.get(base.apex) ?? null)))
    aliases = await findAliases(drafts.map(({ version }) => version.plan))
    const plans = drafts.map(({ version, move }) => dressed(version.plan, move, nextKeys))
    const serials = await advance(plans)
    for (const [i, plan] of plans.entries()) drafts[i]!.version = { plan, serial: serials.get(plan.id)! }
    const copies = await Promise.all(moves.filter(({ secondary }) => secondary !== null).map(openCopy))
    const isTaken = (apex: string): boolean => moveOf.has(apex) || zones.some((zone) => zone.apex === apex)
    const nextMembers = planMembers({
      zones: copies.map(({ entry }) => entry),
      isTaken,
      before: members,
      onFault,
    })
    for (const member of nextMembers.values()) copies.push(await openCopy(member))
    const all = [...drafts, ...copies.map(({ entry }) => entry)]
    for (const { version, out } of all) {
      const isKnown = entries.has(version.plan.apex)
      if (out !== null && !isKnown && out.history.at(-1)?.to !== version.serial) out.history = []
    }
    return {
      entries: new Map(all.map((entry) => [entry.version.plan.apex, entry])),
      copies,
      members: nextMembers,
    }
  }

  async function openZone(base: ZonePlan, move: MovePlan | null): Promise<Entry> {
    const known = entries.get(base.apex)
    const out = await openOut(base.apex, move)
    const journal = move?.update == null ? null : (known?.updateJournal ?? (await openUpdates(base.apex)))
    const updates =
      known?.updateJournal === journal ? known.updates : mergeUpdates(base, new Map(), journal?.lines ?? [])
    const plan = layUpdates(base, updates)
    return { version: { plan, serial: 0 }, base, updates, updateJournal: journal, move, out }
  }

  /** The zone as it is served, whose key says also what its copies have. */
  function dressed(plan: ZonePlan, move: MovePlan | null, own: LedgerKeys): ZonePlan {
    return move?.out == null ? plan : copiedOut(plan, copyWith(plan, own), Date.now() / 1000)
  }

  function copyWith({ id }: ZonePlan, { dnssec }: LedgerKeys): CopyWith {
    return { keys: dnssec.get(id) ?? null, aliases }
  }

  function openUpdates(apex: string): Promise<Journal<UpdatedSet>> {
    return openJournal<UpdatedSet>(fileOf(folder, apex, 'updates.jsonl'))
  }

  async function openOut(apex: string, move: MovePlan | null): Promise<GivenOut | null> {
    if (move?.out == null) return null
    return entries.get(apex)?.out ?? (await openGivenOut(folder, apex))
  }

  async function openCopy(move: MovePlan): Promise<OpenedCopy> {
    const running = secondaries.get(move.apex)
    const kept = running?.move.key === move.key ? null : await readCopy(folder, move)
    const secondary = running?.move.key === move.key ? running : null
    const start = (): Secondary => {
      const key = (): TsigKey | null => keyNamed(move.secondary!.key)
      const onVersion = (version: Version): Promise<void> => inTurn(() => replace(version))
      return createSecondary({
        move: { ...move, secondary: move.secondary! },
        key,
        folder,
        kept,
        inSlot,
        onVersion,
        counts,
        log,
      })
    }
    const isGood = kept !== null && !isTooOld(kept)
    const version =
      secondary?.current() ?? (isGood ? kept.version : expiredVersion(move, kept?.version ?? null))
    const out = await openOut(move.apex, move)
    const entry: Entry = { version, base: null, updates: new Map(), updateJournal: null, move, out }
    return { entry, secondary, start }
  }

  function commitEntries(next: NextEntries, nextKeys: LedgerKeys): void {
    const gone = [...members.keys()].filter((apex) => !next.entries.has(apex))
    entries = next.entries
    members = next.members
    keys = nextKeys
    const kept = new Map<string, Secondary>()
    for (const copy of next.copies) kept.set(copy.entry.move!.apex, startCopy(copy))
    for (const [apex, running] of secondaries) if (kept.get(apex) !== running) running.close()
    secondaries = kept
    for (const entry of entries.values()) giveOut(entry)
    void forgetCopies(folder, gone, log)
  }

  function startCopy({ secondary, start, entry }: OpenedCopy): Secondary {
    const running = secondary ?? start()
    const version = running.current()
    // It may have expired since it was opened.
    if (version.plan.key !== entry.version.plan.key) publish({ versions: [version] })
    entry.version = version
    return running
  }

  /** Make what secondaries get of a zone, and tell them. */
  function giveOut(entry: Entry): void {
    const { out, move } = entry
    if (out === null || move?.out == null) return
    const { notify, key } = move.out
    const renew = async (): Promise<void> => {
      const { version } = entry
      if (version.plan.expired === true) return
      if (await renewCopy(out, version, copyWith(version.plan, keys)))
        notifier.notify(version, notify, keyNamed(key))
    }
    out.ready = out.ready.then(renew).catch((error: unknown) => {
      log('error', 'dns: copy not made', { zone: move.apex, error: String(error) })
    })
  }

  /** Serve another version of one zone. */
  async function replace(version: Version): Promise<void> {
    const entry = entries.get(version.plan.apex)
    if (entry === undefined) return
    entry.version = version
    publish({ versions: [version] })
    giveOut(entry)
    await entry.out?.ready
    if (entry.move?.isCatalog === true) await replaceMembers()
  }

  /** Serve what catalogs list now, and nothing that they listed before. */
  async function replaceMembers(): Promise<void> {
    const isTaken = (apex: string): boolean => entries.has(apex) && !members.has(apex)
    const next = planMembers({ zones: entries.values(), isTaken, before: members, onFault })
    const gone = [...members.values()].filter(({ apex, key }) => next.get(apex)?.key !== key)
    for (const { apex } of gone) {
      secondaries.get(apex)?.close()
      secondaries.delete(apex)
      entries.delete(apex)
    }
    await forgetCopies(
      folder,
      gone.map(({ apex }) => apex),
      log,
    )
    const opened: OpenedCopy[] = []
    for (const member of next.values()) if (!entries.has(member.apex)) opened.push(await openCopy(member))
    members = next
    for (const copy of opened) {
      const { apex } = copy.entry.move!
      entries.set(apex, copy.entry)
      secondaries.set(apex, startCopy(copy))
      giveOut(copy.entry)
    }
    if (gone.length + opened.length === 0) return
    log('info', 'dns: members of catalogs', { added: opened.length, removed: gone.length, all: next.size })
    const versions = opened.map(({ entry }) => entry.version)
    publish({ versions, members: { gone: gone.map(({ apex }) => apex), moves: [...next.values()] } })
  }

  /** Serve zones anew whose copies get other signatures or addresses now. */
  function renewCopies(): Promise<void> {
    return inTurn(async () => {
      for (const { base, updates, move, version } of entries.values()) {
        if (base === null || move?.out == null) continue
        const plan = dressed(layUpdates(base, updates), move, keys)
        if (plan.key === version.plan.key) continue
        await replace({ plan, serial: (await advance([plan])).get(plan.id)! })
      }
    }).catch((error: unknown) => log('error', 'dns: copies not renewed', { error: String(error) }))
  }

  async function ask({ message, protocol, key, client, reserveOctets }: Errand): Promise<ErrandReply> {
    const query = decodeMessage(message)
    if (typeof query === 'string') return { messages: [], more: null }
    const entry = entries.get(printName(lowerName(query.question[0]!.name)))
    const wish = wishOf(query)
    if (entry === undefined || wish === undefined) return oneReply(query, RCODE.NOTAUTH)
    if (wish === 'copy') {
      const isServed = entry.version.plan.expired !== true
      const options = { streams, counts, log, reserveOctets: protocol === 'udp' ? reserveOctets : null }
      return giveCopy(query, isServed ? entry.out : null, options)
    }
    if (wish === 'notify') {
      secondaries.get(entry.version.plan.apex)?.poke()
      return oneReply(query, RCODE.NOERROR)
    }
    if (waiting >= WAITING_LIMIT) return oneReply(query, RCODE.SERVFAIL)
    waiting++
    const rcode = await inTurn(() => update(query, { client, key }))
      .catch((error: unknown) => {
        log('error', 'dns: update failed', { zone: entry.version.plan.apex, error: String(error) })
        return RCODE.SERVFAIL
      })
      .finally(() => waiting--)
    count(counts.updates, rcodeName(rcode))
    return oneReply(query, rcode)
  }

  async function update(query: Message, from: { client: string; key: string | null }): Promise<number> {
    const entry = entries.get(printName(lowerName(query.question[0]!.name)))
    const { base, move, updateJournal, version } = entry ?? {}
    if (entry === undefined || base == null || move?.update == null || updateJournal == null || !version)
      return RCODE.NOTAUTH
    const { names } = move.update
    const { rcode, reason, sets } = applyUpdate(query, version, (owner) => mayChange(owner, names))
    const fields = { zone: base.apex.slice(0, -1), client: from.client, key: from.key ?? '' }
    if (rcode !== RCODE.NOERROR) log('info', 'dns: update refused', { ...fields, why: reason })
    if (sets.length === 0) return rcode
    const updates = mergeUpdates(base, entry.updates, sets)
    if (updates.size > UPDATES_LIMIT) return RCODE.REFUSED
    const plan = dressed(layUpdates(base, updates), move, keys)
    // On disk before it is answered: what was acknowledged outlives a crash (RFC 2136 §3.5).
    if (sets.some((set) => !updates.has(setKey(set))) || updateJournal.count() > 2 * updates.size + 1000)
      await updateJournal.replace([...updates.values()])
    else await updateJournal.append(sets, true)
    const serial = (await advance([plan])).get(plan.id)!
    entry.updates = updates
    await replace({ plan, serial })
    log('info', 'dns: updated', { ...fields, serial, sets: sets.length })
    return RCODE.NOERROR
  }

  return {
    prepare,
    versions: () => [...entries.values()].map(({ version }) => version),
    members: () => [...members.values()],
    ask,
    askMore: async (more) => streams.goOn(more),
    secondaries: () => [...secondaries.values()].map((secondary) => secondary.state()),
    async setAliases(found) {
      if (isDeepStrictEqual(found, aliases)) return
      aliases = found
      await renewCopies()
    },
    close() {
      clearInterval(resigning)
      notifier.close()
      streams.close()
      for (const secondary of secondaries.values()) secondary.close()
    },
  }
}

type OpenedCopy = {
  readonly entry: Entry
  /** that runs already, as it is wanted */
  readonly secondary: Secondary | null
  readonly start: () => Secondary
}

type NextEntries = {
  readonly entries: Map<string, Entry>
  readonly copies: readonly OpenedCopy[]
  readonly members: ReadonlyMap<string, MemberPlan>
}
