import type { CacheControlRule } from './plan.ts'

/**
 * What Cache-Control a file gets, by the rules of its folder.
 *
 * @param rules compiled once for a folder
 * @returns finds the value for a path below the root; undefined: no field
 * @example compileCacheControl([{ pattern: '*.html', value: 'no-cache' }])('docs/index.html') // 'no-cache'
 */
export function compileCacheControl(
  rules: readonly CacheControlRule[],
): (path: string) => string | undefined {
  const compiled = rules.map(({ pattern, value }) => ({ test: compilePattern(pattern), value }))
  return (path) => compiled.find(({ test }) => test.test(`/${path}`))?.value
}

function compilePattern(pattern: string): RegExp {
  if (pattern === 'hashed') return HASHED
  const glob = pattern
    .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
    .replace(/\*+/g, (stars) => (stars.length > 1 ? '.*' : '[^/]*'))
  return new RegExp(pattern.includes('/') ? `^/?${glob.replace(/^\//, '')}$` : `(?:^|/)${glob}$`)
}

/** Eight or more characters of a hash, with a digit among them, between a dot or dash and the extension. */
const HASHED = /[.-](?=[\w-]*\d)[\w-]{8,64}\.[^/]+$/
