import { nearest } from '#core/nearest.ts'
import type { Position, Problem } from '#core/problem.ts'
import { isToken } from '#http/wire/characters.ts'
import type { CacheConfig } from './config.ts'

/** A host or route as far as its cache is concerned. */
export type Cached = {
  readonly cache?: CacheConfig
  /** something that a cache can stand before */
  readonly hasService: boolean
  /** position of the option, or of a part inside of it */
  readonly at: (...option: readonly string[]) => Position
}

/** What the settings tables cannot tell of the option `cache`. */
export function checkCache({ cache, hasService, at }: Cached): Problem[] {
  if (cache === undefined || cache === false) return []
  const problems: Problem[] = []
  if (!hasService) {
    const message =
      'There is a cache here and no service: files, redirects and fixed answers are not kept twice.'
    problems.push({
      level: 'warning',
      code: 'cache/no-service',
      at: at('cache'),
      message,
      fix: 'remove "cache"',
    })
  }
  if (cache === true) return problems
  for (const option of ['ttl', 'override'] as const) {
    const written = cache[option]
    if (typeof written !== 'object') continue
    for (const status of Object.keys(written)) {
      if (/^(?:[2-5]\d\d|[2-5]xx|any)$/.test(status)) continue
      const message = `"${status}" is no status of a response that may be kept: 200 to 599, a class such as 4xx, or any (RFC 9110 §15).`
      const near = nearest(status, ['200', '404', '4xx', '5xx', 'any']) ?? '404'
      problems.push({
        level: 'error',
        code: 'cache/status',
        at: at('cache', option, status),
        message,
        fix: `"${near}"`,
      })
    }
  }
  const query = cache.key?.query
  if (typeof query === 'object' && query.keep !== undefined && query.drop !== undefined) {
    const message =
      'The key keeps some parameters and drops others: what is in neither list would be in doubt.'
    const fix = 'remove "keep" or "drop"'
    problems.push({ level: 'error', code: 'cache/query', at: at('cache', 'key', 'query'), message, fix })
  }
  problems.push(...checkNames(cache, at))
  return problems
}

function checkNames(cache: Exclude<CacheConfig, boolean>, at: Cached['at']): Problem[] {
  const lists = [
    { names: cache.key?.headers, path: ['cache', 'key', 'headers'] },
    { names: cache.bypass?.headers, path: ['cache', 'bypass', 'headers'] },
    { names: cache.vary?.ignore, path: ['cache', 'vary', 'ignore'] },
  ]
  return lists.flatMap(({ names = [], path }) =>
    names
      .filter((name) => !isToken(name))
      .map((name): Problem => {
        const message = `"${name}" is no name of a field: letters, digits and !#$%&'*+-.^_\`|~ (RFC 9110 §5.1).`
        const fix = '"Accept-Language"'
        return { level: 'error', code: 'cache/field', at: at(...path), message, fix }
      }),
  )
}
