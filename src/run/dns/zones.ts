import { join } from 'node:path'
import type { Shown } from '#acme/present.ts'
import type { Log } from '#core/log.ts'
import type { FindAliases } from '#dns/alias-addresses.ts'
import type { DnsPlan } from '#dns/plan.ts'
import { createMoveCounts, type MoveCounts } from '#dns/transfer/counts.ts'
import type { Version } from '#dns/transfer/difference.ts'
import { createLedger, type Ledger } from '#dns/transfer/ledger.ts'
import type { ZoneNews } from '#dns/transfer/members.ts'
import { compileZones, type Zones } from '#dns/zone.ts'
import type { DataSlice } from '#run/slice.ts'
import { type DnssecKeeper, loadDnssec } from './dnssec.ts'
import { createImages } from './images.ts'
import { overlaid } from './overlaid.ts'
import { loadSerials } from './serials.ts'
import { readTsigKeys } from './tsig-keys.ts'

/** The zones that all workers answer from, as the main thread keeps them. */
export type ZoneKeeping = Pick<Ledger, 'ask' | 'askMore' | 'secondaries' | 'setAliases' | 'close'> & {
  /** compiled when asked for */
  readonly zones: Zones
  readonly counts: MoveCounts
  /** keys of zones, and where they stand */
  readonly dnssec: DnssecKeeper
  /** These proofs for authorities stand over the zones now. */
  show(texts: Shown['texts']): void
  /**
   * Work out the zones of a Plan; nothing has happened when it throws.
   *
   * @returns either `commit` or `abort` must follow
   */
  prepare(dns: DnsPlan, findAliases: FindAliases): Promise<PreparedZoneKeeping>
}

export type PreparedZoneKeeping = {
  /** what a worker serves in place of the zones of the file: once it is committed, with all that changed since */
  part(dns: DnsPlan): Pick<DataSlice, 'dns' | 'serials' | 'images' | 'keys' | 'tsigKeys'>
  commit(): void
  abort(): void
}

export type ZoneKeepingOptions = {
  /** of the file */
  readonly folder: string
  readonly stateFolder: string
  readonly publish: (news: ZoneNews) => void
  readonly log: Log
}

/** @throws {Error} when state cannot be read */
export async function keepZones({
  folder,
  stateFolder,
  publish,
  log,
}: ZoneKeepingOptions): Promise<ZoneKeeping> {
  const { advance } = await loadSerials(stateFolder)
  const dnssec = await loadDnssec({ stateFolder, log, now: () => Date.now() / 1000 })
  let texts: Shown['texts'] = []
  /** the last that were compiled: those that stayed as they are need not be compiled again */
  let compiled: Zones | undefined
  let zones: Zones | undefined
  const images = createImages()
  const counts = createMoveCounts()
  const ledger = createLedger({
    counts,
    folder: join(stateFolder, 'dns'),
    advance,
    log,
    publish(news) {
      zones = undefined
      publish(news)
    },
  })

  async function prepare(dns: DnsPlan, findAliases: FindAliases): Promise<PreparedZoneKeeping> {
    const tsigKeys = await readTsigKeys(dns.keys, folder)
    const keyed = await dnssec.advance(dns.zones)
    const prepared = await ledger.prepare(
      { ...dns, zones: keyed.zones },
      { tsig: tsigKeys, dnssec: keyed.keys },
      findAliases,
    )
    let current: Pick<Ledger, 'versions' | 'members'> = {
      versions: () => prepared.versions,
      members: () => prepared.members,
    }
    return {
      part(given) {
        const { zones: plans, serials } = partOf(current.versions())
        const moves = [...given.moves, ...current.members()]
        const { zones: imaged, images: drawn } = images.take(plans, (id) => keyed.keys.has(id))
        return {
          ...{ dns: { ...given, zones: imaged, moves }, serials },
          ...{ images: drawn, keys: keyed.keys, tsigKeys },
        }
      },
      commit() {
        prepared.commit()
        dnssec.commit(keyed)
        current = ledger
        zones = undefined
      },
      abort: prepared.abort,
    }
  }

  return {
    prepare,
    ask: ledger.ask,
    askMore: ledger.askMore,
    secondaries: ledger.secondaries,
    setAliases: ledger.setAliases,
    counts,
    dnssec,
    show(next) {
      texts = next
      zones = undefined
    },
    close() {
      dnssec.close()
      ledger.close()
    },
    get zones() {
      if (zones !== undefined) return zones
      const { zones: plans, serials } = partOf(ledger.versions())
      compiled = compileZones(plans, serials, compiled, { open: images.open })
      zones = overlaid(compiled, texts)
      return zones
    },
  }
}

function partOf(versions: readonly Version[]): Pick<DataSlice, 'serials'> & Pick<DnsPlan, 'zones'> {
  return {
    zones: versions.map(({ plan }) => plan),
    serials: new Map(versions.map(({ plan, serial }) => [plan.id, serial])),
  }
}
