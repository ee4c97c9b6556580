import type { Shown } from '#acme/present.ts'
import type { Log } from '#core/log.ts'
import { applyAliases } from '#dns/alias-addresses.ts'
import { createBudget } from '#dns/dnssec/budget.ts'
import { createPresigner } from '#dns/dnssec/presign.ts'
import { createSigning, type Signing } from '#dns/dnssec/signer.ts'
import { openImage, planOfImage } from '#dns/open-image.ts'
import type { DnsOverlay } from '#dns/overlay-plan.ts'
import type { DnsLimits, MannerPlan } from '#dns/plan.ts'
import { createPlaces } from '#dns/pools/places.ts'
import { createSteering } from '#dns/pools/steering.ts'
import { createDnsServer, type DnsServer } from '#dns/server.ts'
import type { Version } from '#dns/transfer/difference.ts'
import { createGate, type GateOptions } from '#dns/transfer/gate.ts'
import type { ZoneNews } from '#dns/transfer/members.ts'
import type { MovePlan } from '#dns/transfer/plan.ts'
import { type CompileOptions, compileZones, createZones, type Zones } from '#dns/zone.ts'
import type { DataSlice } from '#run/slice.ts'
import { overlaid } from './overlaid.ts'

/**
 * What one thread answers over DNS: versions of zones, proofs for authorities over them, addresses of ALIAS in them.
 * Members of pools are chosen and signatures are made for each answer.
 */
export type DnsPlane = {
  readonly server: DnsServer
  readonly signatures: Signing['counts']
  /** host that is meant by clients over TLS who send no name */
  name(): string | undefined
  /** Compile the zones of a slice; what is returned puts them to use in one tick, and cannot fail. */
  prepare(next: DataSlice): () => void
  /** Answer from other versions of these zones, or from other zones. */
  replaceZones(news: ZoneNews): void
  /** These proofs stand now. */
  show(texts: Shown['texts']): void
  /** What was found out for pools and ALIAS now. */
  setOverlay(overlay: DnsOverlay): void
  close(): Promise<void>
}

export type DnsPlaneOptions = {
  /** what its limits are until a slice is put to use */
  readonly first: DataSlice
  /** milliseconds that never go back */
  readonly now: () => number
  /** what the main thread answers */
  readonly errands: Pick<GateOptions, 'ask' | 'askMore'>
  readonly log: Log
}

/** Create the DNS server of one thread; it answers when a slice was put to use. */
export function createDnsPlane({ first, now, errands, log }: DnsPlaneOptions): DnsPlane {
  let served = first
  let { texts } = first.shown
  let overlay = first.dnsOverlay
  let places = createPlaces(first.dns.places, first.places)
  let moves = movesOf(first)
  let zones = createZones([])
  const signing = createSigning({
    now: () => Date.now() / 1000,
    budget: createBudget(() => served.dns.signatures, now),
  })
  const presigner = createPresigner()
  const elsewhere = createGate({
    keys: () => served.tsigKeys,
    moves: () => moves,
    isApex: (name) => zones.apexes.find(name, 0, name.length) !== undefined,
    nowSeconds: () => Math.floor(Date.now() / 1000),
    answer: (query, sender, reserveOctets) => server.answerSigned(query, sender, reserveOctets),
    ...errands,
  })
  const server = createDnsServer({ zones, limits: first.dns.limits, log, elsewhere })

  function compileWith({ keys, images }: Pick<DataSlice, 'keys' | 'images'>): CompileOptions {
    return {
      signerOf(zone) {
        const own = keys.get(zone.id)
        return own && signing.signerOf(zone, own)
      },
      open(zone, serial) {
        const image = images.get(zone.key)
        return image && openImage(planOfImage(zone, image), serial, image)
      },
    }
  }

  function compile(versions: readonly Version[]): Zones {
    const serials = new Map(versions.map(({ plan, serial }) => [plan.id, serial]))
    const plans = versions.map(({ plan }) => plan)
    return compileZones(plans, serials, zones, compileWith(served))
  }

  function serve(limits?: DnsLimits, manner?: MannerPlan): void {
    const laid = overlaid(zones, texts)
    applyAliases(laid, overlay.aliases)
    server.replaceZones(laid, limits, manner)
    presigner.replace(laid)
  }

  /** What was told last stays, also when the slice is aborted: it is as new. */
  function keepNews({ shown, dnsOverlay, cookieKeys }: DataSlice): void {
    texts = shown.texts
    overlay = dnsOverlay
    server.setCookieKeys(cookieKeys)
  }

  return {
    server,
    signatures: signing.counts,
    name: () => served.dns.manner.name,
    prepare(next) {
      keepNews(next)
      const compiled = compileZones(next.dns.zones, next.serials, zones, compileWith(next))
      const nextPlaces = createPlaces(next.dns.places, next.places)
      return () => {
        zones = compiled
        places = nextPlaces
        served = next
        moves = movesOf(next)
        server.setSteering(createSteering(served.dns.pools, places, overlay.health))
        serve(next.dns.limits, next.dns.manner)
      }
    },
    replaceZones({ versions, members }) {
      const gone = new Set(members?.gone)
      const staying = zones.list.filter(({ plan }) => !gone.has(plan.apex))
      const newest = new Map<string, Version>(staying.map((zone) => [zone.plan.id, zone]))
      if (members !== undefined) for (const move of members.moves) moves.set(move.apex, move)
      for (const apex of gone) if (!members?.moves.some((move) => move.apex === apex)) moves.delete(apex)
      for (const version of versions) newest.set(version.plan.id, version)
      zones = compile([...newest.values()])
      serve()
    },
    show(next) {
      texts = next
      serve()
    },
    setOverlay(next) {
      overlay = next
      server.setSteering(createSteering(served.dns.pools, places, overlay.health))
      serve()
    },
    async close() {
      presigner.close()
      await server.close()
    },
  }
}

function movesOf({ dns }: DataSlice): Map<string, MovePlan> {
  return new Map(dns.moves.map((move) => [move.apex, move]))
}
