import type { RouteConfig } from '#http/host-config.ts'
import { fill, type Variables } from './scope.ts'

/** `https`: to the same place over HTTPS, which Portico does by itself. */
export type Redirect = { readonly action: RouteConfig } | 'https' | 'to itself' | undefined

/**
 * Read where a `return` or `rewrite` sends requests.
 *
 * @param target such as `https://example.com$request_uri`
 * @param asked the name that was asked for, and values of variables
 * @returns undefined when it depends on more of the request than its path
 * @example readRedirect(301, 'https://example.com$request_uri', www) // { action: { redirect: 'https://example.com' } }
 */
export function readRedirect(
  status: number,
  target: string,
  asked: { readonly name: string; readonly variables: Variables; readonly overTls: boolean },
): Redirect {
  const path = /\$(request_uri|uri(\$is_args\$args)?|\{request_uri\})$/.exec(target)
  const variables = { ...asked.variables, host: asked.name, http_host: asked.name }
  const to = fill(path === null ? target : target.slice(0, path.index), variables)
  const keepPath = path !== null
  if (to === undefined || /\s/.test(to)) return undefined
  const url = /^(https?):\/\/([^/?#:]+)(?::\d+)?(.*)$/i.exec(to)
  if (url === null && !(to.startsWith('/') && !keepPath)) return undefined
  if (url !== null && url[2]?.toLowerCase() === asked.name && /^(\/?)$/.test(url[3] ?? '')) {
    return url[1] === 'https' && !asked.overTls ? 'https' : 'to itself'
  }
  // A wildcard sends each name to another place.
  if (to.includes('*')) return undefined
  // 301 and 308 say the same of a GET; 308, Portico's own, keeps the method of others (RFC 9110 §15.4.9).
  const isPermanent = status === 301 || status === 308
  const bare = url !== null && url[3] === ''
  if (isPermanent && keepPath && bare) return { action: { redirect: to } }
  const options = { ...(isPermanent ? {} : { status }), ...(keepPath && bare ? {} : { keepPath }) }
  return { action: { redirect: { to, ...options } } }
}

/**
 * Write a `rewrite` that sends every path elsewhere as the target of a `return`.
 *
 * @returns undefined for one that changes paths, which Portico does not do
 * @example readRewrite(['^/(.*)$', 'https://example.com/$1', 'permanent']) // { status: 301, target: 'https://example.com$request_uri' }
 */
export function readRewrite(args: readonly string[]): { status: number; target: string } | undefined {
  const [pattern = '', to = '', flag] = args
  if (flag !== 'permanent' && flag !== 'redirect' && !/^(https?:|\$scheme)/.test(to)) return undefined
  const status = flag === 'permanent' ? 301 : 302
  const bare = to.replace(/\?$/, '')
  if (/^\^\/?(\.\*)?\$?$/.test(pattern)) return { status, target: bare }
  if (/^\^?\/\(\.\*\)\$?$/.test(pattern) && bare.endsWith('/$1'))
    return { status, target: `${bare.slice(0, -3)}$request_uri` }
  if (/^\^?\(\.\*\)\$?$/.test(pattern) && bare.endsWith('$1'))
    return { status, target: `${bare.slice(0, -2)}$request_uri` }
  return undefined
}

/** The paths of a `rewrite` with a literal pattern, such as `^/old/?$`; undefined when it is none. */
export function literalPaths(pattern: string): string[] | undefined {
  const match = /^\^((?:\/[\w.~%-]+)+)(\/\?)?\$$/.exec(pattern.replace(/\\([.-])/g, '$1'))
  if (match === null || /[^\\]\./.test(pattern)) return undefined
  return match[2] === undefined ? [match[1]!] : [match[1]!, `${match[1]}/`]
}
