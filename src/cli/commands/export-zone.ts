import { resolve } from 'node:path'
import { type Command, findConfig, flagOption, UsageError } from '#cli/command.ts'
import { readDomain } from '#cli/given.ts'
import { print, printError, printProblems } from '#cli/print.ts'
import { hasErrors } from '#core/problem.ts'
import type { ZoneKeys } from '#dns/dnssec/plan.ts'
import { signZone } from '#dns/dnssec/sign-zone.ts'
import type { ZonePlan } from '#dns/plan.ts'
import type { Version } from '#dns/transfer/difference.ts'
import { type PrintedRRset, printMasterFile } from '#dns/wire/masterfile-print.ts'
import { soaPlan } from '#dns/zone.ts'
import { readServedZones } from '#run/dns/served-zones.ts'
import { planSource } from '#run/portico.ts'

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
    const stateFolder = resolve(folder, config.value.state)
    const { versions, keys } = await readServedZones(plan.dns, stateFolder)
    const apex = readDomain(input.positionals[0]!)
    const version = versions.find((candidate) => candidate.plan.apex === apex)
    if (version === undefined) {
      const known = versions.map((candidate) => candidate.plan.apex.slice(0, -1)).join(', ')
      throw new UsageError(`${apex.slice(0, -1)} is no domain of ${file}; it has ${known || 'none'}.`)
    }
    const { plan: zone, serial } = version
    if (zone.expired === true) {
      printError(
        `${apex.slice(0, -1)} is copied from its primary, and there is no copy in ${stateFolder} that holds.`,
      )
      return 1
    }
    const { ttl, data } = soaPlan(zone, serial)
    const rrsets = flagOption(input, 'signed') ? sign(version, keys) : withoutKeys(zone)
    for (const { owner, target } of zone.aliases ?? [])
      printError(`${owner} is left out: it has the addresses of ${target}, which change.`)
    print(printMasterFile({ apex: zone.apex, soa: { ttl, data: data[0]! }, rrsets }).trimEnd())
    return 0
  },
}

/** Keys of ours without the signatures that go with them would be of no use elsewhere. */
function withoutKeys({ apex, rrsets }: ZonePlan): PrintedRRset[] {
  return rrsets.filter(({ why, owner }) => why !== 'DNSSEC' || owner !== apex)
}

function sign({ plan, serial }: Version, keys: ZoneKeys): PrintedRRset[] {
  const own = keys.get(plan.id)
  const nowSeconds = Math.floor(Date.now() / 1000)
  if (own !== undefined) return [...signZone(plan, own, { serial, nowSeconds })]
  throw new Error(
    `${plan.apex.slice(0, -1)} has no keys yet. Fix: "dnssec": true, and "portico up", which makes them`,
  )
}
