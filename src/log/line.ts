import type { AccessRecord } from './record.ts'

/** A record as a line of the log, without its end. */
export function printRecord(record: AccessRecord, format: 'json' | 'combined'): string {
  return format === 'json' ? JSON.stringify(record) : combined(record)
}

/** As Apache's `combined` and nginx's: client, time, request line, status, octets, referer, user agent. */
function combined(record: AccessRecord): string {
  const { client, time, method, target, version, status, sentOctets, referer, userAgent } = record
  const request = `${method} ${target} HTTP/${version === '2' ? '2.0' : version}`
  return `${client} - - [${clockTime(time)}] "${quoted(request)}" ${status} ${sentOctets} "${quoted(referer ?? '-')}" "${quoted(userAgent ?? '-')}"`
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** `22/Nov/2026:18:09:59 +0000`, from ISO 8601 in UTC. */
function clockTime(iso: string): string {
  const [year, month, day] = iso.slice(0, 10).split('-')
  return `${day}/${MONTHS[Number(month) - 1]}/${year}:${iso.slice(11, 19)} +0000`
}

/** As nginx: quotes, backslashes and what is not printable ASCII, so that nobody writes a line of their own. */
function quoted(text: string): string {
  return text.replace(/["\\]|[^ -~]/g, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
  })
}
