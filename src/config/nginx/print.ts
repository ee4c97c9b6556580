import type { HostConfig } from '#http/host-config.ts'
import { inline } from '../inline.ts'
import type { PorticoFile } from './import.ts'
import type { Note } from './notes.ts'

const LINE_WIDTH = 110
/** A key longer than this does not push the others' values to the right. */
const LONG_KEY = 16
/** Stands for no host. */
const GENERAL = ''

/**
 * Write a Portico file as text.
 *
 * A host is one line when that is short. Notes stand above the host they are about, or at the top; what was
 * dropped because Portico does it anyway is left out.
 *
 * @param notes from `importNginx`
 */
export function printPorticoFile(value: PorticoFile, notes: readonly Note[] = []): string {
  const names = new Set(
    Object.entries(value.domains).flatMap(([domain, { hosts }]) =>
      Object.keys(hosts).map((key) => hostName(key, domain)),
    ),
  )
  const worth = notes.filter(({ level }) => level !== 'dropped')
  const about = Map.groupBy(worth, ({ host }) => (host !== undefined && names.has(host) ? host : GENERAL))
  const { domains, ...settings } = value
  const lines = [
    ...(about.get(GENERAL) ?? []).map((note) => comment(note, '')),
    '{',
    ...Object.entries(settings).map(([key, setting]) => `  ${JSON.stringify(key)}: ${inline(setting)},`),
    '  "domains": {',
    ...separated(Object.entries(domains), ([domain, { hosts }]) => [
      `    ${JSON.stringify(domain)}: {`,
      '      "hosts": {',
      ...printHosts(domain, hosts, about),
      '      }',
      '    }',
    ]),
    '  }',
    '}',
  ]
  return `${lines.join('\n')}\n`
}

function printHosts(
  domain: string,
  hosts: Readonly<Record<string, HostConfig>>,
  notes: ReadonlyMap<string, readonly Note[]>,
): string[] {
  const margin = '        '
  const widest = Object.keys(hosts)
    .map((key) => JSON.stringify(key).length)
    .reduce((most, length) => (length > LONG_KEY ? most : Math.max(most, length)), 0)
  return separated(Object.entries(hosts), ([key, host]) => {
    const about = notes.get(hostName(key, domain)) ?? []
    const line = `${margin}${`${JSON.stringify(key)}:`.padEnd(widest + 1)} ${inline(host)}`
    const short = line.length <= LINE_WIDTH && host.routes === undefined
    const block = `${margin}${JSON.stringify(key)}: ${JSON.stringify(host, null, 2)}`.replaceAll(
      '\n',
      `\n${margin}`,
    )
    return [
      ...about.map((note) => comment(note, margin)),
      short ? line : (printRoutes(host, key, margin) ?? block),
    ]
  })
}

/** A host that has routes and nothing long in them: a line each. */
function printRoutes(host: HostConfig, key: string, margin: string): string | undefined {
  const { routes, ...options } = host
  if (routes === undefined) return undefined
  const lines = separated(Object.entries(routes), ([pattern, route]) => [
    `${margin}    ${JSON.stringify(pattern)}: ${inline(route)}`,
  ])
  const rest = Object.entries(options).map(
    ([option, value]) => `,\n${margin}  ${JSON.stringify(option)}: ${inline(value)}`,
  )
  return `${margin}${JSON.stringify(key)}: {\n${margin}  "routes": {\n${lines.join('\n')}\n${margin}  }${rest.join('')}\n${margin}}`
}

/** Lines of each item, a comma after all but the last. */
function separated<T>(items: readonly T[], print: (item: T) => string[]): string[] {
  return items.flatMap((item, index) => {
    const lines = print(item)
    if (index < items.length - 1) lines[lines.length - 1] += ','
    return lines
  })
}

function hostName(key: string, domain: string): string {
  return key === '@' ? domain : `${key}.${domain}`
}

function comment({ file, line, directive, level, message }: Note, margin: string): string {
  // A line break in a quoted argument must not end the comment.
  const text = `${file}:${line} ${directive}, ${level}: ${message}`.replace(/[\r\n\u2028\u2029]+/g, ' ')
  return `${margin}// ${text}`
}
