import type { Problem } from '#core/problem.ts'
import { type Ledger, note, take } from './notes.ts'
import { type Directive, parseNginx } from './parse.ts'

/**
 * Finds the files an `include` names.
 *
 * @param pattern as written: a path, perhaps relative to nginx's folder, perhaps with `*`
 * @returns in nginx's order (by name); none when nothing fits
 */
export type ResolveInclude = (pattern: string) => readonly { readonly file: string; readonly text: string }[]

/** More than a machine's sites-enabled has; fewer than a circle of includes would read. */
const LIMITS = { depth: 8, files: 1000 } as const

type Expanding = {
  readonly ledger: Ledger
  readonly resolve: ResolveInclude
  readonly problems: Problem[]
  files: number
}

/** Put the content of included files in place of each `include`; what is missing or needless is noted. */
export function expandIncludes(
  directives: readonly Directive[],
  { ledger, resolve, problems }: Pick<Expanding, 'ledger' | 'resolve' | 'problems'>,
): Directive[] {
  return expand(directives, { ledger, resolve, problems, files: 0 }, 0)
}

function expand(directives: readonly Directive[], expanding: Expanding, depth: number): Directive[] {
  return directives.flatMap((directive) => {
    if (directive.name === 'include') return included(directive, expanding, depth)
    if (directive.block === null) return [directive]
    return [{ ...directive, block: expand(directive.block, expanding, depth) }]
  })
}

/** The `include` itself stays in the list, so that its note has a place. */
function included(directive: Directive, expanding: Expanding, depth: number): Directive[] {
  const { ledger, resolve, problems } = expanding
  const pattern = directive.args[0] ?? ''
  const needless = NEEDLESS.find(([known]) => known.test(pattern))
  if (needless !== undefined) {
    note(ledger, directive, { level: 'dropped', message: needless[1] })
    return [directive]
  }
  const files = depth < LIMITS.depth ? resolve(pattern) : []
  expanding.files += files.length
  if (depth >= LIMITS.depth || expanding.files > LIMITS.files) {
    const message = `Includes go more than ${LIMITS.depth} deep, or name more than ${LIMITS.files} files.`
    note(ledger, directive, { level: 'not understood', message })
    return [directive]
  }
  if (files.length === 0) {
    note(ledger, directive, {
      level: 'not understood',
      message: `No file was found for ${pattern}; import it by itself.`,
    })
    return [directive]
  }
  take(ledger, directive)
  const inner = files.flatMap(({ file, text }) => {
    const parsed = parseNginx(text, file)
    problems.push(...parsed.problems)
    return expand(parsed.directives, expanding, depth + 1)
  })
  return [directive, ...inner]
}

/** Files that come with nginx and certbot, and say nothing that Portico needs. */
const NEEDLESS: readonly (readonly [RegExp, string])[] = [
  [/(^|\/)mime\.types$/, 'Portico knows the media types of files.'],
  [
    /(^|\/)(options-ssl-nginx|ssl-params|ssl|snakeoil|self-signed)\.conf$/,
    'Portico chooses TLS versions and ciphers itself.',
  ],
  [/(^|\/)proxy_params$/, 'Portico passes Host on and sets X-Forwarded-For, -Proto and -Host itself.'],
  [
    /(^|\/)(fastcgi|uwsgi|scgi)_params$|(^|\/)fastcgi\.conf$/,
    'These are parameters for protocols other than HTTP.',
  ],
  [/(^|\/)modules(-enabled)?\//, 'Portico has no modules; what a module did is noted where it was used.'],
]
