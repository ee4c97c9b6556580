import { domainToASCII } from 'node:url'
import type { Position, Problem } from '#core/problem.ts'
import { lowerName, parseName, printName } from '#dns/wire/name.ts'

/** Why a written name cannot be one: the code of a problem, a sentence, and what to write instead. */
export type NameFault = { readonly code: string; readonly message: string; readonly fix: string }

/**
 * Turn a name as people write it into an absolute name in presentation form.
 *
 * Non-ASCII labels become A-labels (UTS 46, RFC 5891 §4); letters become lower case.
 *
 * @param written `@` for the domain, a name below it, or an absolute name with a final dot
 * @param apex absolute name of the domain, with final dot
 * @returns such as `www.example.com.`, or the fault
 */
export function ownerName(written: string, apex: string): string | NameFault {
  if (written === '@') return apex
  if (written === '')
    return {
      code: 'dns/empty-label',
      message: 'A name is empty; "@" stands for the domain itself.',
      fix: '"@"',
    }
  const host = written.includes(':') ? hostOfUrl(written) : undefined
  if (host !== undefined) return urlAsName(written, host.toLowerCase(), apex)
  // A backslash at the end would take the dot that joins name and domain for a part of the label.
  if (written.endsWith('\\') && /(?<!\\)(\\\\)*\\$/.test(written)) return notAName(written)
  if (written.endsWith('.')) return absoluteName(written)
  return absoluteName(`${written}.${apex}`)
}

/**
 * Turn a target as people write it into an absolute name: a single label stands below the domain,
 * everything with a dot is absolute already.
 */
export function targetName(written: string, apex: string): string | NameFault {
  if (written === '@') return apex
  if (written === '.') return '.'
  if (written.includes('.')) return absoluteName(written.endsWith('.') ? written : `${written}.`)
  return absoluteName(`${written}.${apex}`)
}

function hostOfUrl(text: string): string | undefined {
  return (/^[a-z][a-z0-9+.-]*:\/\/([^/:?#]+)/i.exec(text) ?? /^([^/:]+):\d+$/.exec(text))?.[1]
}

/** Absolute names that are as they shall be; a file may have a million. */
const FINISHED: RegExp = /^(?:[a-z0-9_-]{1,63}\.)+$/

/** With the final dot: in wire form a name has one octet more, and at most 255 (RFC 1035 §2.3.4). */
const MOST_LETTERS = 254

/** Check an absolute name label by label (RFC 1035 §2.3.4) and bring it into A-labels and lower case. */
export function absoluteName(written: string): string | NameFault {
  if (written.length <= MOST_LETTERS && FINISHED.test(written)) return written
  const labels = written.slice(0, -1).split(/(?<!\\)[.。]/u)
  const result: string[] = []
  for (const label of labels) {
    const ascii = asciiLabel(label)
    if (typeof ascii !== 'string') return ascii
    result.push(ascii)
  }
  const name = `${result.join('.')}.`
  // Each label takes its length octet, and the root one more (RFC 1035 §3.1).
  const octets = labelOctets(name.slice(0, -1)) + 2
  if (octets <= 255) {
    const wire = parseName(name)
    return typeof wire === 'string' ? notAName(written) : printName(lowerName(wire))
  }
  return {
    code: 'dns/name-too-long',
    message: `"${shorten(written)}" has ${octets - 2} octets; a name has at most 253 (RFC 1035 §2.3.4).`,
    fix: 'leave out labels, or shorten them',
  }
}

/** A name below a domain stands in it, and is written without it. */
export function belowFault(written: string, name: string, apex: string): Omit<Problem, 'at'> | undefined {
  const end = name.length - apex.length
  if (name !== apex && !(name.endsWith(apex) && name[end - 1] === '.')) {
    const message = `"${written}" is not below ${apex.slice(0, -1)} (RFC 1034 §4.2).`
    return { level: 'error', code: 'dns/out-of-zone', message, fix: 'put it under its own domain' }
  }
  // Twice the apex, and nothing or a dot before it.
  const rest = name.slice(0, end)
  if (rest !== apex && !rest.endsWith(`.${apex}`)) return undefined
  const message = `"${written}" stands for ${name.slice(0, -1)}: names under "${apex.slice(0, -1)}" are written without it.`
  const meant = nameBelow(rest, apex)
  return { level: 'warning', code: 'dns/domain-in-name', message, fix: `"${meant}"` }
}

/** A name as the file has it below its domain: `@`, or without the domain. */
export function nameBelow(name: string, apex: string): string {
  return name === apex ? '@' : name.slice(0, -apex.length - 1)
}

/**
 * Check that a domain has a name that hosts can stand below (RFC 1123 §2.1).
 *
 * "_" is common in names of zones without hosts, and "/" in those of the reverse tree (RFC 2317 §4).
 */
export function checkDomain(written: string, apex: string, at: Position): Problem | undefined {
  const known = apex.endsWith('.arpa.') ? /[_/]/g : /_/g
  const odd = apex
    .slice(0, -1)
    .split('.')
    .find((label) => !isHostLabel(label.replace(known, 'a')))
  if (odd === undefined && !looksLikeAddress(written)) return undefined
  const what = odd === undefined ? 'is an address' : `has "${odd}"`
  const message = `The domain "${written}" ${what}; labels of a domain are letters, digits and "-" inside (RFC 1123 §2.1).`
  const host = URL.canParse(written) ? new URL(written).hostname : ''
  const fix = host === '' ? '"example.com"' : `"${host}"`
  return { level: 'error', code: 'dns/domain-characters', at, message, fix }
}

/** Whether a name, left of its apex, is one that hosts may have (RFC 1123 §2.1). */
export function isHostLabel(label: string): boolean {
  return /^(?!-)[a-z0-9-]{1,63}(?<!-)$/.test(label)
}

/** Whether the text is an IPv4 or IPv6 literal, brackets and final dot allowed: what people put where a name belongs. */
export function looksLikeAddress(text: string): boolean {
  const bare = text.replace(/^\[|\]$/g, '').replace(/\.$/, '')
  return /^\d{1,3}(\.\d{1,3}){3}$/.test(bare) || (/^[0-9a-f:.]+$/i.test(bare) && bare.split(':').length > 2)
}

function urlAsName(written: string, host: string, apex: string): NameFault {
  const message = `"${shorten(written)}" is no name: scheme, port and path do not belong to it (RFC 1034 §3.1).`
  const below = `.${host}.`.endsWith(`.${apex}`) ? nameBelow(`${host}.`, apex) : host
  return { code: 'dns/not-a-name', message, fix: `"${below}"` }
}

function asciiLabel(label: string): string | NameFault {
  if (label === '') {
    return {
      code: 'dns/empty-label',
      message:
        'A dot stands at the beginning, or two side by side; a label has 1 to 63 octets (RFC 1035 §2.3.1).',
      fix: 'remove one dot',
    }
  }
  const ascii = isAscii(label) ? label.toLowerCase() : domainToASCII(label)
  if (ascii === '' || /[.\s]/.test(ascii.replace(/\\./g, ''))) return notAName(label)
  const octets = labelOctets(ascii)
  if (octets <= 63) return ascii
  return {
    code: 'dns/label-too-long',
    message: `The label "${shorten(label)}" has ${octets} octets; a label has at most 63 (RFC 1035 §2.3.4).`,
    fix: 'shorten it, or cut it in two with a dot',
  }
}

function notAName(text: string): NameFault {
  return {
    code: 'dns/not-a-name',
    message: `"${shorten(text)}" cannot stand in a name (RFC 1035 §5.1, UTS 46, RFC 5891 §4).`,
    fix: 'letters, digits and "-"',
  }
}

/** Octets that presentation form stands for: `\DDD` and `\X` are one each (RFC 1035 §5.1). */
function labelOctets(text: string): number {
  return text.replace(/\\(\d{3}|.)/g, 'x').length
}

function isAscii(text: string): boolean {
  return /^[\u0000-\u007f]*$/.test(text)
}

function shorten(text: string): string {
  return text.length > 40 ? `${text.slice(0, 37)}…` : text
}
