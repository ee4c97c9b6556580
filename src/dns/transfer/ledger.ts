import { isDeepStrictEqual } from 'node:util'
import type { Log } from '#core/log.ts'
import type { ZoneKeys } from '../dnssec/plan.ts'
import type { DnsOverlay } from '../overlay-plan.ts'
import type { DnsPlan, ZonePlan } from '../plan.ts'
import { decodeMessage, type Message } from '../wire/message.ts'
import { lowerName, printName } from '../wire/name.ts'
import type { TsigKey, TsigKeys } from '../wire/tsig.ts'
import { RCODE, TYPE } from '../wire/types.ts'
import { expiredVersion, fileOf, isTooOld, readCopy } from './copies.ts'
import {
  type CopySignatures,
  type CopyWith,
  copiedOut,
  copyOut,
  knownOf,
  type SavedSignature,
} from './copy-out.ts'
import { type Difference, differ, HISTORY_LIMIT, remember, setKey, type Version } from './difference.ts'
import { type Errand, type ErrandReply, wishOf } from './gate.ts'
import { type Journal, openJournal } from './journal.ts'
import { createNotifier } from './notify.ts'
import type { MovePlan } from './plan.ts'
import { chooseTransfer, replyTo, serialOfQuery, writeDatagram, writeMessages } from './reply.ts'
import { createSecondary, type Secondary, type SecondaryState } from './secondary.ts'
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
  /** Answer what a client may ask: a transfer, an update, a NOTIFY. */
  ask(errand: Errand): Promise<ErrandReply>
  /** Go on with a transfer. */
  askMore(more: number): Promise<ErrandReply>
  secondaries(): SecondaryState[]
  /** These addresses were found for names with an ALIAS: copies have them too. */
  setAliases(aliases: DnsOverlay['aliases']): Promise<void>
  close(): void
}

/** What messages are signed with between servers, and what zones are signed with. */
export type LedgerKeys = { readonly tsig: TsigKeys; readonly dnssec: ZoneKeys }

/** Find the addresses for names with an ALIAS, of which some may lead into these zones. */
export type FindAliases = (zones: readonly ZonePlan[]) => Promise<DnsOverlay['aliases']>

export type PreparedZones = { readonly versions: readonly Version[]; commit(): void; abort(): void }

export type LedgerOptions = {
  /** of state, for what is known of zones */
  readonly folder: string
  /** The serial of each zone by its id, kept before it is used. */
  readonly advance: (zones: readonly ZonePlan[]) => Promise<ReadonlyMap<string, number>>
  /** Tell whoever answers of new versions. */
  readonly publish: (versions: readonly Version[]) => void
  readonly log: Log
}

/** What is known of one zone. */
type Entry = {
  version: Version
  /** as in the file; null for a copy */
  readonly base: ZonePlan | null
  updates: Updates
  readonly updateJournal: Journal<UpdatedSet> | null
  history: readonly Difference[]
  readonly historyJournal: Journal<Difference> | null
  readonly move: MovePlan | null
  /** what secondaries get, and of which `history` speaks; null before the first is made */
  copy: Version | null
  /** when `copy` is that of `version` */
  ready: Promise<void>
  readonly signatures: CopySignatures | null
}

/** What stays as it is while an entry is taken over. */
type Moving = Pick<Entry, 'history' | 'historyJournal' | 'signatures' | 'copy' | 'ready'>

/** So often it is looked whether signatures of copies are due. */
const RESIGN_EVERY_MS = 600_000

/** Errands that wait for their turn; those beyond are told to come again. */
const WAITING_LIMIT = 1000

/** @example const ledger = createLedger(options); (await ledger.prepare(plan.dns, keys)).commit() */
export function createLedger({ folder, advance, publish, log }: LedgerOptions): Ledger {
  const notifier = createNotifier(log)
  const streams = createStreams()
  let entries: ReadonlyMap<string, Entry> = new Map()
  let secondaries: ReadonlyMap<string, Secondary> = new Map()
  let keys: LedgerKeys = { tsig: new Map(), dnssec: new Map() }
  let aliases: DnsOverlay['aliases'] = {}
  let turn: Promise<unknown> = Promise.resolve()
  let waiting = 0
  const resigning = setInterval(() => void renewCopies(), RESIGN_EVERY_MS).unref()

  function keyNamed(name: string | null): TsigKey | null {
    return name === null ? null : (keys.tsig.get(name) ?? null)
  }

  /** One change after the other. */
  function inTurn<Value>(task: () => Promise<Value>): Promise<Value> {
    const done = turn.then(task)
    turn = done.catch(() => {})
    return done
  }

  function prepare(dns: DnsPlan, nextKeys: LedgerKeys, findAliases: FindAliases): Promise<PreparedZones> {
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    const { promise, resolve, reject } = Promise.withResolvers<PreparedZones>()
    void inTurn(async () => {
      try {
        const next = await openEntries(dns, nextKeys, findAliases)
        const commit = (): void => {
          commitEntries(next, dns.moves, nextKeys)
          release()
        }
        const versions = [...next.entries.values()].map(({ version }) => version)
        resolve({ versions, commit, abort: release })
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
    const all = [...drafts, ...copies.map(({ entry }) => entry)]
    for (const entry of all) {
      const isKnown = entries.has(entry.version.plan.apex)
      if (!isKnown && entry.history.at(-1)?.to !== entry.version.serial) entry.history = []
    }
    return { entries: new Map(all.map((entry) => [entry.version.plan.apex, entry])), copies }
  }

  async function openZone(base: ZonePlan, move: MovePlan | null): Promise<Entry> {
    const known = entries.get(base.apex)
    const moving = await openMoving(base.apex, move, known)
    const journal = move?.update == null ? null : (known?.updateJournal ?? (await openUpdates(base.apex)))
    const updates = known?.updateJournal === journal ? known.updates : foldUpdates(base, journal)
    const plan = layUpdates(base, updates)
    return { ...moving, version: { plan, serial: 0 }, base, updates, updateJournal: journal, move }
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

  async function openMoving(apex: string, move: MovePlan | null, known: Entry | undefined): Promise<Moving> {
    const ready = Promise.resolve()
    if (move?.out == null) return { history: [], historyJournal: null, signatures: null, copy: null, ready }
    if (known?.historyJournal != null) return known
    const historyJournal = await openJournal<Difference>(fileOf(folder, apex, 'history.jsonl'))
    const signatures = knownOf(await openJournal<SavedSignature>(fileOf(folder, apex, 'signatures.jsonl')))
    const history = historyJournal.lines.reduce(remember, [])
    return { history, historyJournal, signatures, copy: null, ready }
  }

  async function openCopy(move: MovePlan): Promise<OpenedCopy> {
    const running = secondaries.get(move.apex)
    const kept = running?.move.key === move.key ? null : await readCopy(folder, move)
    const secondary = running?.move.key === move.key ? running : null
    const known = entries.get(move.apex)
    const start = (): Secondary => {
      const key = (): TsigKey | null => keyNamed(move.secondary!.key)
      const onVersion = (version: Version): Promise<void> => inTurn(() => replace(version))
      return createSecondary({
        move: { ...move, secondary: move.secondary! },
        key,
        folder,
        kept,
        onVersion,
        log,
      })
    }
    const isGood = kept !== null && !isTooOld(kept)
    const version =
      secondary?.current() ?? (isGood ? kept.version : expiredVersion(move, kept?.version ?? null))
    const moving = await openMoving(move.apex, move, known)
    const entry = { ...moving, version, base: null, updates: new Map(), updateJournal: null, move }
    return { entry, secondary, start }
  }

  function commitEntries(next: NextEntries, moves: readonly MovePlan[], nextKeys: LedgerKeys): void {
    const before = entries
    entries = next.entries
    keys = nextKeys
    const kept = new Map<string, Secondary>()
    for (const { secondary, start, entry } of next.copies) {
      const running = secondary ?? start()
      kept.set(running.move.apex, running)
      entry.version = running.current()
    }
    for (const [apex, running] of secondaries) if (kept.get(apex) !== running) running.close()
    secondaries = kept
    for (const { apex } of moves) {
      const entry = entries.get(apex)
      if (entry !== undefined) makeCopy(entry, before.get(apex))
    }
  }

  /** Make what secondaries get, remember what changed, and tell them. @param before the entry whose place it took */
  function makeCopy(entry: Entry, before: Entry = entry): void {
    entry.ready = before.ready
      .then(async () => {
        if (before !== entry && before.historyJournal !== null) {
          entry.copy = before.copy
          entry.history = before.history
        }
        await renewCopy(entry)
      })
      .catch((error: unknown) => log('error', 'dns: copy not made', { error: String(error) }))
  }

  async function renewCopy(entry: Entry): Promise<void> {
    const { version, move, historyJournal, signatures, copy: before } = entry
    if (move?.out == null || version.plan.expired === true || before?.serial === version.serial) return
    const copy = await copyOut(version, copyWith(version.plan, keys), signatures, Date.now() / 1000)
    entry.copy = copy
    notifier.notify(version, move.out.notify, keyNamed(move.out.key))
    if (before === null || historyJournal === null) return
    const difference = differ(before, copy)
    entry.history = remember(entry.history, difference)
    const isLong = historyJournal.count() >= 2 * HISTORY_LIMIT.differences
    if (isLong || entry.history.length === 1) await historyJournal.replace(entry.history)
    else await historyJournal.append([difference], false)
  }

  /** Serve another version of one zone. */
  async function replace(version: Version): Promise<void> {
    const entry = entries.get(version.plan.apex)
    if (entry === undefined) return
    entry.version = version
    publish([version])
    makeCopy(entry)
    await entry.ready
  }

  /** Serve zones anew whose copies have other signatures or addresses than a moment ago. */
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
    if (wish === 'copy') return copy(query, entry, protocol === 'udp' ? reserveOctets : null)
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
    return oneReply(query, rcode)
  }

  /** @param reserveOctets for a signature, over UDP */
  async function copy(query: Message, entry: Entry, reserveOctets: number | null): Promise<ErrandReply> {
    await entry.ready
    const { version: served, history, copy: version } = entry
    if (served.plan.expired === true || version === null) return oneReply(query, RCODE.SERVFAIL)
    const isWhole = query.question[0]!.type === TYPE.AXFR
    const theirs = isWhole ? null : serialOfQuery(query)
    if (theirs === undefined) return oneReply(query, RCODE.FORMERR)
    const { reason, records } = chooseTransfer(version, history, theirs)
    log('info', 'dns: zone copied out', {
      zone: version.plan.apex.slice(0, -1),
      serial: version.serial,
      by: reason,
    })
    if (reserveOctets !== null)
      return { messages: [writeDatagram(query, version, records, reserveOctets)], more: null }
    return streams.begin(writeMessages(query, records)) ?? oneReply(query, RCODE.SERVFAIL)
  }

  async function update(query: Message, from: { client: string; key: string | null }): Promise<number> {
    const entry = entries.get(printName(lowerName(query.question[0]!.name)))
    const { base, move, updateJournal, version } = entry ?? {}
    if (entry === undefined || base == null || move?.update == null || updateJournal == null || !version)
      return RCODE.NOTAUTH
    const { names } = move.update
    const { rcode, reason, sets } = applyUpdate(query, version.plan, (owner) => mayChange(owner, names))
    const fields = { zone: base.apex.slice(0, -1), client: from.client, key: from.key ?? '' }
    if (rcode !== RCODE.NOERROR) log('info', 'dns: update refused', { ...fields, why: reason })
    if (sets.length === 0) return rcode
    const updates = mergeUpdates(base, entry.updates, sets)
    if (updates.size > UPDATES_LIMIT) return RCODE.REFUSED
    const plan = dressed(layUpdates(base, updates), move, keys)
    // On disk before it is answered: what was acknowledged outlives a crash (RFC 2136 §3.5).
    const isLess = sets.some((set) => !updates.has(setKey(set)))
    if (isLess || updateJournal.count() > 2 * updates.size + 1000)
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

type NextEntries = { readonly entries: ReadonlyMap<string, Entry>; readonly copies: readonly OpenedCopy[] }

function foldUpdates(base: ZonePlan, journal: Journal<UpdatedSet> | null): Updates {
  return mergeUpdates(base, new Map(), journal?.lines ?? [])
}

function oneReply(query: Message, rcode: number): ErrandReply {
  return { messages: [replyTo(query, rcode)], more: null }
}

/** Whether an owner is one of the names, or below one that begins with `*.`. */
function mayChange(owner: string, names: readonly string[] | null): boolean {
  if (names === null) return true
  return names.some((name) => owner === name || (name.startsWith('*.') && owner.endsWith(name.slice(1))))
}
