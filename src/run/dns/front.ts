import { applyAliases, type FindAliases } from '#dns/alias-addresses.ts'
import type { DnsOverlay } from '#dns/overlay-plan.ts'
import type { DnsPlan } from '#dns/plan.ts'
import { createPlaces, type Places } from '#dns/pools/places.ts'
import type { DnsKnown } from '#run/explain/pool.ts'
import { shareLimits, shareRate } from '#run/share-limits.ts'
import type { DataSlice } from '#run/slice.ts'
import { loadCookieKeys } from './cookie-keys.ts'
import { readPlaces } from './places-file.ts'
import { createDnsWatch } from './watch.ts'
import { keepZones, type ZoneKeeping, type ZoneKeepingOptions } from './zones.ts'

/** What the main thread keeps and finds out for DNS. */
export type FrontDns = Omit<ZoneKeeping, 'prepare'> & {
  /** what was found out for pools and ALIAS */
  known(): DnsKnown
  prepare(dns: DnsPlan): Promise<PreparedDns>
}

/** Either `commit` or `abort` must follow. */
export type PreparedDns = {
  /** what a worker serves: once it is committed, with all that changed since */
  part(): DnsPart
  commit(): void
  abort(): void
}

type DnsPart = Pick<
  DataSlice,
  'dns' | 'serials' | 'images' | 'keys' | 'tsigKeys' | 'cookieKeys' | 'dnsOverlay' | 'places'
>

export type FrontDnsOptions = ZoneKeepingOptions & {
  /** how many share the limits */
  readonly workers: number
  readonly onOverlay: (overlay: DnsOverlay) => void
  readonly onCookieKeys: (keys: readonly Uint8Array[]) => void
}

/** Often enough that a key of cookies outlives its time by little, also when a laptop slept meanwhile. */
const COOKIE_KEYS_EVERY_MS = 60_000

/** @throws {Error} when state cannot be read */
export async function openFrontDns(options: FrontDnsOptions): Promise<FrontDns> {
  const { folder, stateFolder, workers, onOverlay, onCookieKeys, log } = options
  let places: Places = createPlaces({ networks: [] }, null)
  let served: DnsPlan | undefined
  const keeping = await keepZones({
    ...options,
    publish(news) {
      options.publish(news)
      watch.changed(news.versions.map(({ plan }) => plan.apex))
    },
  })
  const cookieKeys = await loadCookieKeys(stateFolder, Date.now)
  const watch = await createDnsWatch({
    ...{ stateFolder, log },
    served: () => (served === undefined ? null : keeping.zones),
    onChange(overlay) {
      onOverlay(overlay)
      void keeping.setAliases(overlay.aliases)
    },
  })
  const timer = setInterval(() => void renewCookieKeys(), COOKIE_KEYS_EVERY_MS).unref()
  async function renewCookieKeys(): Promise<void> {
    try {
      if (await cookieKeys.renew()) onCookieKeys(cookieKeys.current())
    } catch (error) {
      log('warning', 'dns: cookie keys', { error: String(error) })
    }
  }

  function watchServed(): void {
    if (served !== undefined) void watch.replace(served, served.zones)
  }

  async function prepare(dns: DnsPlan): Promise<PreparedDns> {
    const placesFile = await readPlaces(dns.places, folder)
    const nextPlaces = createPlaces(dns.places, placesFile)
    const findAliases: FindAliases = async (zones) => {
      await watch.replace(dns, zones)
      return watch.overlay().aliases
    }
    const zones = await keeping.prepare(dns, findAliases).catch((error: unknown) => {
      watchServed()
      throw error
    })
    const shared: DnsPlan = {
      ...dns,
      limits: shareLimits(dns.limits, workers),
      manner: shareRate(dns.manner, workers),
      signatures: Math.ceil(dns.signatures / workers),
    }
    return {
      part: () => ({
        ...zones.part(shared),
        cookieKeys: cookieKeys.current(),
        dnsOverlay: watch.overlay(),
        places: placesFile,
      }),
      commit() {
        served = dns
        places = nextPlaces
        zones.commit()
        watch.changed(dns.zones.map(({ apex }) => apex))
      },
      abort() {
        zones.abort()
        watchServed()
      },
    }
  }

  return {
    ...keeping,
    get zones() {
      const { zones } = keeping
      applyAliases(zones, watch.overlay().aliases)
      return zones
    },
    known: () => ({ overlay: watch.overlay(), places }),
    prepare,
    close() {
      clearInterval(timer)
      watch.close()
      keeping.close()
    },
  }
}
