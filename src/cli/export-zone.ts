import { resolve } from 'node:path'
import { hasErrors } from '#core/problem.ts'
import { type KeyedZones, keyZones } from '#dns/dnssec/keyed-zones.ts'
import { signZone } from '#dns/dnssec/sign-zone.ts'
import { type PrintedRRset, printMasterFile } from '#dns/wire/masterfile-print.ts'
import { soaPlan } from '#dns/zone.ts'
import { readDnssec } from '#run/dnssec.ts'
import { planSource } from '#run/portico.ts'
import { readSerials } from '#run/serials.ts'
import { type Command, findConfig, flagOption, UsageError } from './command.ts'
import { readDomain } from './given.ts'
import { print, printError, printProblems } from './print.ts'

/** Write a domain as the master file of its zone. */
export const exportZoneCommand: Command = {
  name: 'export zone',
  summary: 'Write a domain as a master file (RFC 1035), for other name servers.',
  usage: 'DOMAIN [--signed] [--config FILE]',
  options: {
    signed: { type: 'boolean', doc: 'With keys, signatures and NSEC, for servers that do not sign.' },
  },
  positionals: { min: 1, max: 1 },
  examples: [
    'portico export zone example.com > example.com.zone',
    'portico export zone example.com --signed > example.com.zone.signed',
  ],
  async run(input) {
    const file = findConfig(input)
    const { config, plan, problems, folder } = await planSource({ file }, false)
    if (config === null || plan === null || hasErrors(problems)) {
      printProblems(problems, printError)
      return 1
    }
    const zones = plan.dns.zones
    const apex = readDomain(input.positionals[0]!)
    const zone = zones.find((candidate) => candidate.apex === apex)
    if (zone === undefined) {
      const known = zones.map((candidate) => candidate.apex.slice(0, -1)).join(', ')
      throw new UsageError(`${apex.slice(0, -1)} is no domain of ${file}; it has ${known || 'none'}.`)
    }
    const stateFolder = resolve(folder, config.value.state)
    const keyed = keyZones(zones, await readDnssec(stateFolder))
    const serials = await readSerials(stateFolder, keyed.zones)
    const serial = serials.get(zone.id)!
    const { ttl, data } = soaPlan(zone, serial)
    const rrsets = flagOption(input, 'signed') ? sign(zone.id, keyed, serial) : zone.rrsets
    print(printMasterFile({ apex: zone.apex, soa: { ttl, data: data[0]! }, rrsets }).trimEnd())
    return 0
  },
}

function sign(zoneId: string, { zones, keys }: KeyedZones, serial: number): PrintedRRset[] {
  const zone = zones.find(({ id }) => id === zoneId)!
  const own = keys.get(zoneId)
  if (own !== undefined) return signZone(zone, own, { serial, nowSeconds: Math.floor(Date.now() / 1000) })
  throw new Error(
    `${zone.apex.slice(0, -1)} has no keys yet. Fix: "dnssec": true, and "portico up", which makes them`,
  )
}
