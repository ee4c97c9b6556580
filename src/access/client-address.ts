import { isIP } from 'node:net'
import type { Fields } from '#http/wire/fields.ts'
import { listMembers } from '#http/wire/list.ts'

/**
 * Find who asked: the peer, or, behind proxies that are trusted, the nearest address that is none of theirs.
 *
 * Each proxy adds the address that it saw at the right end, so what stands left of the first untrusted address is
 * only what that client says (RFC 7239 §8.1).
 *
 * @param peer address of the other side of the connection
 * @returns null when a trusted proxy says something that is no address, or says two things: nobody can be told apart then
 */
export function clientAddress(
  peer: string,
  fields: Fields,
  isTrusted: (address: string) => boolean,
): string | null {
  if (!isTrusted(peer)) return peer
  // No standard gives this one quotes: a client's own could swallow what a proxy adds.
  const old = fields.all('x-forwarded-for').flatMap((value) => value.split(/[ \t]*,[ \t]*/))
  const hops = old.filter((hop) => hop !== '').map(nodeAddress)
  const standard = listMembers(fields.all('forwarded')).map((element) => nodeAddress(forOf(element)))
  if (hops.length === 0 && standard.length === 0) return peer
  const answers = [hops, standard].filter(({ length }) => length > 0).map((list) => nearest(list, isTrusted))
  return answers.every((answer) => answer === answers[0]) ? answers[0]! : null
}

function nearest(hops: readonly (string | null)[], isTrusted: (address: string) => boolean): string | null {
  const client = hops.findLast((hop) => hop === null || !isTrusted(hop))
  // Only proxies of ours: the farthest of them asked on its own.
  return client === undefined ? hops[0]! : client
}

/**
 * The `for` parameter of a forwarded-element, unquoted (RFC 7239 §4); empty when it is missing, stands twice, or the
 * element cannot be read. Another parameter may hold anything in quotes, such as the Host that a client made up.
 */
function forOf(element: string): string {
  const found: string[] = []
  PAIR.lastIndex = 0
  while (PAIR.lastIndex < element.length) {
    const match = PAIR.exec(element)
    if (match === null) return ''
    if (match[1]!.toLowerCase() === 'for') found.push(match[2] ?? match[3]!)
  }
  return found.length === 1 ? found[0]! : ''
}

const PAIR = /[ \t]*([\w!#$%&'*+.^`|~-]+)=(?:"((?:[^"\\]|\\.)*)"|([^";,\s]*))[ \t]*(?:;|$)/y

/** An address with or without brackets and port; null for names, "unknown" and hidden identifiers (RFC 7239 §6). */
function nodeAddress(text: string): string | null {
  const bare =
    /^\[([0-9A-Fa-f:.]+)\](?::\d{1,5})?$/.exec(text)?.[1] ?? /^([0-9.]+):\d{1,5}$/.exec(text)?.[1] ?? text
  const address = bare.toLowerCase().replace(/^::ffff:(?=\d+\.)/, '')
  return isIP(address) === 0 || address.includes('%') ? null : address
}
