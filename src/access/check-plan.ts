import { networkKey, parseNetwork } from '#core/network.ts'
import type { Position, Problem } from '#core/problem.ts'
import { isToken } from '#http/wire/characters.ts'
import type { AccessRules, BasicConfig } from './config.ts'
import { parseScryptHash } from './wire/phc.ts'

/** Where a part of what was written stands, from `access` or `limits` on. */
export type Place = (...path: readonly (string | number)[]) => Position

/** Everything about `access` that the settings table cannot say. */
export function checkAccess(written: AccessRules, at: Place): Problem[] {
  const { basic, bearer, forward } = written
  return [
    ...checkNetworks(written, at),
    ...(basic === undefined ? [] : checkBasic(basic, at)),
    ...checkUrl(bearer?.jwks, at('bearer', 'jwks')),
    ...checkUrl(forward?.url, at('forward', 'url')),
    ...Object.keys(bearer?.claims ?? {}).flatMap((name) => checkName(name, at('bearer', 'claims', name))),
    ...(forward?.copy ?? []).flatMap((name, index) => checkName(name, at('forward', 'copy', index))),
  ]
}

function checkNetworks({ allow = [], deny = [] }: AccessRules, at: Place): Problem[] {
  const allowed = new Map<string, string>()
  const lists = [
    { key: 'allow', list: allow },
    { key: 'deny', list: deny },
  ]
  return lists.flatMap(({ key, list }) =>
    list.flatMap((text, index): Problem[] => {
      const network = parseNetwork(text)
      const place = at(key, index)
      if (network === undefined) return [notANetwork(text, key, place)]
      const other = allowed.get(networkKey(network))
      if (key === 'allow') allowed.set(networkKey(network), text)
      return key === 'deny' && other !== undefined ? [allowedAndDenied(text, other, place)] : []
    }),
  )
}

function notANetwork(text: string, key: string, at: Position): Problem {
  const message = `"${key}" has "${text}"; an address, or a network with the length of its prefix (RFC 4632 §3.1), is wanted.`
  const fix = `"${key}": ["10.0.0.0/8", "2001:db8::/32"]`
  return { level: 'error', code: 'access/not-a-network', at, message, fix }
}

function allowedAndDenied(text: string, other: string, at: Position): Problem {
  const same = text === other ? '' : `, which is "${other}" of "allow"`
  const message = `"deny" has "${text}"${same}, but "allow" lets the same network in; order decides nothing.`
  return {
    level: 'error',
    code: 'access/allowed-and-denied',
    at,
    message,
    fix: `remove "${text}" from one of them`,
  }
}

/** What was written is not shown: it may be a password. */
function checkBasic({ users }: BasicConfig, at: Place): Problem[] {
  return Object.entries(users).flatMap(([name, hash]): Problem[] => {
    const place = at('basic', 'users', name)
    if (/[:\p{Cc}]/u.test(name) || name === '') {
      const message = `The user ${JSON.stringify(name)} cannot sign in: a name has at least one character, and no colon or control characters (RFC 7617 §2).`
      const fix = `"${name.replace(/[:\p{Cc}]+/gu, '-') || 'ann'}"`
      return [{ level: 'error', code: 'access/user-name', at: place, message, fix }]
    }
    if (parseScryptHash(hash) !== undefined) return []
    const what = hash.startsWith('$scrypt$')
      ? 'a hash of another form or cost than "$scrypt$ln=15,r=8,p=1$SALT$HASH"'
      : 'no hash by scrypt; a password itself never stands in a file'
    const message = `"${name}" has ${what} (RFC 7914 §2).`
    const fix = `run "portico hash-password", and write "${name}": what it prints`
    return [{ level: 'error', code: 'access/password-form', at: place, message, fix }]
  })
}

/** The settings table has checked scheme and form; host and port are left (RFC 3986 §3.2.2). */
function checkUrl(url: string | undefined, at: Position): Problem[] {
  if (url === undefined || URL.canParse(url)) return []
  const message = `"${url}" has no host, or no port from 0 to 65535 (RFC 3986 §3.2.2).`
  return [{ level: 'error', code: 'access/url', at, message, fix: '"http://127.0.0.1:9091/verify"' }]
}

/** Fields that a gateway writes itself, or that would change what the request is. */
const TAKEN =
  /^(connection|content-.*|cookie|expect|forwarded|host|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|via|x-forwarded-.*)$/

function checkName(name: string, at: Position): Problem[] {
  const isTaken = TAKEN.test(name.toLowerCase().replaceAll('_', '-'))
  if (isToken(name) && !isTaken) return []
  const why = isTaken
    ? 'says something about the request that Portico writes itself (RFC 9110 §7.6.1)'
    : "is no name of a field: letters, digits and !#$%&'*+-.^_`|~ (RFC 9110 §5.1)"
  const message = `"${name}" ${why}.`
  return [{ level: 'error', code: 'access/field-name', at, message, fix: '"Remote-User"' }]
}
