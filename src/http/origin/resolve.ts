import { type LookupAddress, lookup, promises } from 'node:dns'
import type { LookupFunction } from 'node:net'

type Known = { readonly addresses: readonly LookupAddress[]; readonly until: number }

// What only the system knows, as from /etc/hosts, comes without a time; it may change under a running program.
const SYSTEM_MS = 5000
// A record may say 0, and a name with a long TTL by mistake should not need a restart.
const LEAST_MS = 1000
const MOST_MS = 300_000
const LIMIT_NAMES = 1024

const dns = new promises.Resolver({ timeout: 1000, tries: 2 })
const known = new Map<string, Known>()
const asking = new Map<string, Promise<Known>>()

/**
 * Resolve an origin's name as `net.connect` asks: addresses of both families, kept for as long as their TTL says.
 *
 * The system says the addresses, so that /etc/hosts and its order hold (RFC 6724 §6); DNS says for how long. While
 * nobody answers, the addresses that were known last are used on (RFC 8767 §4).
 */
export const resolveName: LookupFunction = (name, { all }, callback) => {
  addressesOf(name).then(
    ({ addresses }) => {
      if (all === true) callback(null, [...addresses])
      else callback(null, addresses[0]!.address, addresses[0]!.family)
    },
    (error: NodeJS.ErrnoException) => callback(error, ''),
  )
}

function addressesOf(name: string): Promise<Known> {
  const cached = known.get(name)
  if (cached !== undefined && performance.now() < cached.until) return Promise.resolve(cached)
  const pending = asking.get(name)
  if (pending !== undefined) return pending
  const asked = ask(name)
    .catch((error: unknown) => {
      if (cached === undefined) throw error
      return { ...cached, until: performance.now() + SYSTEM_MS }
    })
    .then((found) => keep(name, found))
    .finally(() => asking.delete(name))
  asking.set(name, asked)
  return asked
}

async function ask(name: string): Promise<Known> {
  const [addresses, ttls] = await Promise.all([askSystem(name), askDns(name)])
  const lives = addresses.map(({ address }) => ttls.get(address))
  const isFromDns = !lives.includes(undefined)
  const lifeMs = isFromDns ? Math.min(...lives.map(Number)) * 1000 : SYSTEM_MS
  return { addresses, until: performance.now() + Math.min(Math.max(lifeMs, LEAST_MS), MOST_MS) }
}

function askSystem(name: string): Promise<LookupAddress[]> {
  return new Promise((resolve, reject) => {
    lookup(name, { all: true }, (error, addresses) => {
      if (error !== null) reject(error)
      else resolve(addresses)
    })
  })
}

/** The TTL of each address, in seconds. */
async function askDns(name: string): Promise<ReadonlyMap<string, number>> {
  if (!name.includes('.')) return new Map()
  const answers = await Promise.allSettled([
    dns.resolve4(name, { ttl: true }),
    dns.resolve6(name, { ttl: true }),
  ])
  const records = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
  return new Map(records.map(({ address, ttl }) => [address, ttl]))
}

function keep(name: string, found: Known): Known {
  known.delete(name)
  known.set(name, found)
  if (known.size > LIMIT_NAMES) known.delete(known.keys().next().value!)
  return found
}
