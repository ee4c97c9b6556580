import type { RecordSetConfig } from '#dns/records/config.ts'
import { inline } from '../inline.ts'
import type { ZoneFile } from './import.ts'

const LINE_WIDTH = 110

/** Write a Portico file that has records only as text: an owner is one line when that is short. */
export function printZoneFile({ domains, ...settings }: ZoneFile): string {
  const lines = [
    '{',
    ...Object.entries(settings).map(([key, setting]) => `  ${JSON.stringify(key)}: ${inline(setting)},`),
    '  "domains": {',
    ...Object.entries(domains).flatMap(([domain, { records, ttl }]) => [
      `    ${JSON.stringify(domain)}: {`,
      ...(ttl === undefined ? [] : [`      "ttl": ${inline(ttl)},`]),
      '      // What answers under each name; its A, AAAA and CNAME records follow from it: "www": { "service": 8081 }',
      '      "hosts": {},',
      '      "records": {',
      ...printOwners(Object.entries(records)),
      '      }',
      '    }',
    ]),
    '  }',
    '}',
  ]
  return `${lines.join('\n')}\n`
}

function printOwners(owners: readonly [string, Readonly<Record<string, RecordSetConfig>>][]): string[] {
  const margin = '        '
  return owners.flatMap(([owner, types], index) => {
    const comma = index < owners.length - 1 ? ',' : ''
    const line = `${margin}${JSON.stringify(owner)}: ${inline(types)}${comma}`
    if (line.length <= LINE_WIDTH) return [line]
    const rows = Object.entries(types).map(
      ([type, set]) => `${margin}  ${JSON.stringify(type)}: ${inline(set)}`,
    )
    return [`${margin}${JSON.stringify(owner)}: {`, ...rows.join(',\n').split('\n'), `${margin}}${comma}`]
  })
}
