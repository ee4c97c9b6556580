/** The server that `bench/dns-many.ts` measures: `node dns-many-portico.ts PORT ZONES NAMES`; says when it is ready. */
import { silent } from '#core/log.ts'
import { openImage, planOfImage } from '#dns/open-image.ts'
import type { RRsetPlan, ZonePlan } from '#dns/plan.ts'
import { createDnsServer } from '#dns/server.ts'
import { compileZones, type Zones } from '#dns/zone.ts'
import { createImages } from '#run/dns/images.ts'

const from = { file: 'bench', line: 0, column: 0 }
const [port = 0, zones = 0, names = 0] = process.argv.slice(2).map(Number)

function rrset(owner: string, type: string, data: string): RRsetPlan {
  return { owner, type, ttl: 3600, data: [data], from, why: 'written' }
}

function zone(number: number): ZonePlan {
  const apex = `zone${number}.example.`
  return {
    id: `zone:${apex}`,
    key: apex,
    from,
    apex,
    soa: {
      mname: `ns1.${apex}`,
      rname: `hostmaster.${apex}`,
      refresh: 10_800,
      retry: 3600,
      expire: 1_209_600,
      minimum: 300,
      ttl: 3600,
    },
    rrsets: [
      rrset(apex, 'NS', `ns1.${apex}`),
      rrset(`ns1.${apex}`, 'A', '192.0.2.1'),
      ...Array.from({ length: names }, (_, i) => rrset(`host${i}.${apex}`, 'A', '192.0.2.3')),
    ],
  }
}

/** As a worker has them: from images that the main thread has drawn. */
function compile(): Zones {
  const plans = Array.from({ length: zones }, (_, i) => zone(i))
  const drawn = createImages().take(plans, () => false)
  return compileZones(drawn.zones, new Map(), undefined, {
    open(plan, serial) {
      const image = drawn.images.get(plan.key)
      return image && openImage(planOfImage(plan, image), serial, image)
    },
  })
}

const server = createDnsServer({
  zones: compile(),
  limits: { udpPayload: 1232, tcpConnections: 512, tcpIdleMs: 10_000 },
  log: silent,
})
await server.listen('127.0.0.1', port)
console.log(`ready after ${Math.round(performance.now())} ms`)
process.once('SIGTERM', () => void server.close())
