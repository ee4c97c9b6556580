import { resolve } from 'node:path'
import { hasErrors } from '#core/problem.ts'
import { printMasterFile } from '#dns/wire/masterfile-print.ts'
import { soaPlan } from '#dns/zone.ts'
import { planSource } from '#run/portico.ts'
import { readSerials } from '#run/serials.ts'
import { type Command, findConfig, UsageError } from './command.ts'
import { readDomain } from './given.ts'
import { print, printError, printProblems } from './print.ts'

/** Write a domain as the master file of its zone. */
export const exportZoneCommand: Command = {
  name: 'export zone',
  summary: 'Write a domain as a master file (RFC 1035), for other name servers.',
  usage: 'DOMAIN [--config FILE]',
  options: {},
  positionals: { min: 1, max: 1 },
  examples: ['portico export zone example.com > example.com.zone'],
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
    const serials = await readSerials(resolve(folder, config.value.state), zones)
    const { ttl, data } = soaPlan(zone, serials.get(zone.id)!)
    print(printMasterFile({ apex: zone.apex, soa: { ttl, data: data[0]! }, rrsets: zone.rrsets }).trimEnd())
    return 0
  },
}
