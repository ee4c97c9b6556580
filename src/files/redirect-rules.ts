/** A line of a file of redirects. */
export type RedirectRule = {
  readonly pattern: RegExp
  /** names of what the groups of the pattern caught, in order */
  readonly names: readonly string[]
  readonly to: string
  /** 200: the file at `to` answers, and the URL stays */
  readonly status: number
  /** goes before a file of the same path */
  readonly isForced: boolean
}

export type RedirectFault = { readonly line: number; readonly message: string }

/** Lines that are read; each is tried in turn for a path that no file has. */
export const LIMIT_RULES = 2000

/**
 * Read redirects, one a line: `/from /to`, with a status after them (301 when none stands). `*` at the end of a path
 * is `:splat` in the target, `:name` one segment; `!` after the status goes before a file of that path.
 *
 * @returns the rules in order, and what was wrong with the lines that are left out
 */
export function parseRedirects(text: string): {
  rules: readonly RedirectRule[]
  faults: readonly RedirectFault[]
} {
  const rules: RedirectRule[] = []
  const faults: RedirectFault[] = []
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    const words = line.replace(/(?:^|\s)#.*$/, '').match(/\S+/g)
    if (words === null) continue
    const rule = rules.length < LIMIT_RULES ? parseRule(words) : `more than ${LIMIT_RULES} redirects`
    if (typeof rule === 'string') faults.push({ line: i + 1, message: rule })
    else rules.push(rule)
  }
  return { rules, faults }
}

function parseRule([from, to, written = '301', ...more]: readonly string[]): RedirectRule | string {
  if (from === undefined || to === undefined) return 'a path and a target are wanted'
  if (more.length > 0) return `conditions such as ${more[0]} are not known`
  if (!from.startsWith('/')) return `a path begins with "/", not ${from}`
  const status = Number(/^(\d{3})!?$/.exec(written)?.[1])
  if (!STATUSES.has(status)) return `the status is one of ${[...STATUSES].join(', ')}, not ${written}`
  if (!/^(?:\/(?!\/)|https?:\/\/)/.test(to)) return `the target is a path or a URL, not ${to}`
  if (status === 200 && !to.startsWith('/')) return 'with 200 the target is a path of this folder'
  const names: string[] = []
  const segments = from.split('/').map((segment, i, all) => {
    if (segment === '*' && i === all.length - 1) {
      names.push('splat')
      return '(.*)'
    }
    if (!segment.startsWith(':')) return segment.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    names.push(segment.slice(1))
    return '([^/]+)'
  })
  // `/old/*` is also for `/old`.
  const pattern = new RegExp(`^${segments.join('/').replace(/\/\(\.\*\)$/, '(?:/(.*))?')}/?$`)
  return { pattern, names, to, status, isForced: written.endsWith('!') }
}

const STATUSES: ReadonlySet<number> = new Set([200, 301, 302, 303, 307, 308])

/**
 * Where the first rule for a path leads.
 *
 * @param path as sent, without query
 * @param query with its `?`, or empty; it is kept when the target has none
 */
export function redirectFor(
  rules: readonly RedirectRule[],
  path: string,
  query: string,
  isForced: boolean,
): { readonly to: string; readonly status: number } | undefined {
  for (const rule of rules) {
    if (rule.isForced !== isForced) continue
    const match = rule.pattern.exec(path)
    if (match === null) continue
    const caught = new Map(rule.names.map((name, i) => [name, match[i + 1] ?? '']))
    // What was caught begins no authority: `/*  /:splat` with `//host`, or `/\host` for browsers, stays on this host.
    const to = rule.to
      .replace(/:(\w+)/g, (whole, name: string) => caught.get(name) ?? whole)
      .replace(/^[/\\]{2,}/, '/')
    return { to: to.includes('?') ? to : to + query, status: rule.status }
  }
  return undefined
}
