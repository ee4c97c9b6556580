import { type Ledger, note, remark, take } from './notes.ts'
import type { Directive } from './parse.ts'

/** A `server` block: which names it answers, and over what. */
export type Site = {
  readonly directive: Directive
  /** `example.com` or `*.example.com`, lower case */
  readonly names: readonly string[]
  /** answers names that no other server has */
  readonly isDefault: boolean
  readonly overTls: boolean
  readonly overPlain: boolean
  /** public addresses it listens on, when it names any */
  readonly addresses: readonly string[]
}

/** Read `listen` and `server_name`; null when the server must stay private, which is noted. */
export function readSite(server: Directive, ledger: Ledger): Site | null {
  const block = server.block ?? []
  const listens = block.filter((directive) => directive.name === 'listen').map(readListen)
  if (listens.length > 0 && listens.every((listen) => listen.isPrivate)) {
    const message =
      'This server answers on this machine only; Portico would show it to everyone, so it is left out.'
    note(ledger, server, { level: 'not understood', message })
    return null
  }
  const { names, isCatchAll } = readNames(block, ledger)
  const overTls =
    listens.some((listen) => listen.isTls) ||
    block.some(({ name, args }) => name === 'ssl' && args[0] === 'on')
  const isDefault = isCatchAll || listens.some((listen) => listen.isDefault)
  const overPlain = listens.length === 0 || listens.some((listen) => !listen.isTls)
  const site = {
    directive: server,
    names,
    isDefault,
    overTls,
    overPlain,
    addresses: listens.flatMap((listen) => listen.address ?? []),
  }
  for (const listen of listens) noteListen(listen, ledger, names[0])
  if (names.length > 0) ledger.hosts.set(server, names[0]!)
  return site
}

type Listen = {
  readonly directive: Directive
  readonly address: string | null
  readonly port: number
  readonly isTls: boolean
  readonly isDefault: boolean
  readonly isPrivate: boolean
}

function readListen(directive: Directive): Listen {
  const [where = '', ...flags] = directive.args
  const match = /^(?:(\[[^\]]*\]|[^:]*):)?(\d+)$/.exec(where)
  const host = (match === null ? where : (match[1] ?? '')).replace(/^\[|\]$/g, '')
  const port = Number(match?.[2] ?? 80)
  return {
    directive,
    address: /^(\*|::|0\.0\.0\.0|)$/.test(host) || !/^[\d.]+$|:/.test(host) ? null : host,
    port,
    isTls: flags.includes('ssl') || flags.includes('quic'),
    isDefault: flags.includes('default_server') || flags.includes('default'),
    isPrivate: /^(127\.|::1$|localhost$|unix:)/.test(host),
  }
}

function noteListen(
  { directive, port, address, isTls }: Listen,
  ledger: Ledger,
  host: string | undefined,
): void {
  take(ledger, directive)
  const say = (level: 'assumed' | 'not understood', message: string) =>
    remark(ledger, directive, { level, message, host })
  if (directive.args.includes('proxy_protocol')) {
    say(
      'not understood',
      'Portico does not speak the PROXY protocol; name the proxy in front under "trust" instead.',
    )
  }
  if (port !== 80 && port !== 443) {
    say('assumed', `Port ${port} is not carried over: every host answers on the ports under "listen".`)
  } else if ((port === 443) !== isTls && directive.args.length > 0) {
    say(
      'assumed',
      `Port ${port} ${isTls ? 'spoke TLS' : 'spoke plain HTTP'}; Portico speaks HTTP on 80 and HTTPS on 443.`,
    )
  }
  if (address !== null)
    say('assumed', `${address} is taken as an address of this machine; hosts answer on all of them.`)
}

function readNames(block: readonly Directive[], ledger: Ledger): { names: string[]; isCatchAll: boolean } {
  const names = new Set<string>()
  const directives = block.filter((directive) => directive.name === 'server_name')
  let written = 0
  for (const directive of directives) {
    take(ledger, directive)
    for (const arg of directive.args) {
      if (arg === '_' || arg === '') continue
      written++
      const found = readName(arg.toLowerCase())
      if (typeof found === 'string') remark(ledger, directive, { level: 'not understood', message: found })
      else for (const name of found) names.add(name)
    }
  }
  return { names: [...names], isCatchAll: written === 0 }
}

/** The names one word of `server_name` stands for, or why it stands for none. */
function readName(arg: string): string[] | string {
  if (arg.startsWith('~'))
    return `${arg} is a regular expression; write each name, or "*" for every other one.`
  if (arg.endsWith('.*')) return `${arg} stands for the same name in every domain; write each domain.`
  if (/^[\d.]+$|:/.test(arg)) return `${arg} is an address, not a name; Portico serves names.`
  if (arg.startsWith('.')) return isName(arg.slice(1)) ? [arg.slice(1), `*${arg}`] : noName(arg)
  const name = arg.replace(/\.$/, '')
  if (!isName(name.replace(/^\*\./, ''))) return noName(arg)
  return [name]
}

function noName(arg: string): string {
  return `${arg} is no name of a host in a domain: two labels or more, of letters, digits and "-" inside (RFC 1123 §2.1).`
}

/** At least two labels of letters, digits and hyphens inside (RFC 1123 §2.1). */
function isName(name: string): boolean {
  return name.length <= 253 && /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}$/.test(name)
}
