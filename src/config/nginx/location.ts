import { type Action, type Asking, readAction } from './action.ts'
import { note, remark, take } from './notes.ts'
import { readOwnOptions } from './options.ts'
import type { Directive } from './parse.ts'
import { inside, reasonFor } from './reasons.ts'
import { literalPaths, readRedirect } from './redirect.ts'

/** Pattern of Portico → what answers. */
export type Routes = Map<string, Action>

/** What runs programs that Portico cannot call. */
const PROGRAM = /^(fastcgi|uwsgi|scgi|memcached)_pass$|_by_lua/
/** Names of programs, in paths and in expressions for them. */
export const SOURCE: RegExp = /\.\W*(php|cgi|py|pl|aspx?|jsp)\b/
/** What says nothing of who answers, only how. */
const TRIFLE =
  /^(expires|etag|access_log|error_log|log_not_found|add_header|default_type|tcp_nodelay|sendfile|gzip.*|open_file_cache.*|break)$/

/** Put the locations of a block into `routes`, inner ones too. */
export function readLocations(asking: Asking, routes: Routes): void {
  for (const location of asking.scope[0] ?? []) {
    if (location.name === 'location') readLocation(location, asking, routes)
    else if (location.name === 'rewrite') readLiteralRewrite(location, asking, routes)
  }
}

function readLocation(location: Directive, asking: Asking, routes: Routes): void {
  const { ledger, host } = asking
  const { kind, path } = readPath(location.args)
  if (kind === '@') return
  if (path.startsWith('/.well-known/acme-challenge')) {
    note(ledger, location, {
      level: 'dropped',
      message: 'Portico answers the challenges of certificate authorities itself.',
      host,
    })
    return
  }
  if (kind === '~') {
    noteExpression(location, path, asking)
    return
  }
  const lost = (message: string): void => note(ledger, location, { level: 'not understood', message, host })
  if (!path.startsWith('/') || /[*?#%\s]|\/\//.test(path)) {
    lost(`${path} is no path that a route can have.${inside(location)}`)
    return
  }
  const pattern = kind === '=' ? path : `${path.replace(/\/$/, '')}/**`
  if (routes.has(pattern)) {
    lost(`${pattern} has a route already.${inside(location)}`)
    return
  }
  take(ledger, location)
  const inner = {
    ...asking,
    scope: [location.block ?? [], ...asking.scope],
    prefix: path,
    isExact: kind === '=',
  }
  const notesBefore = ledger.notes.length
  const action = withOptions(readAction(inner), inner)
  routes.set(pattern, action)
  if (action === null) {
    lost(whyNothing(location, ledger.notes.length > notesBefore))
    return
  }
  if (kind === '' && !path.endsWith('/')) {
    const message = `nginx also took paths such as ${path}x for ${path}; the route is for ${path} and what is below it.`
    remark(ledger, location, { level: 'assumed', message, host })
  }
  readLocations(inner, routes)
}

/** Options that the location has of its own; a redirect has no content to change. */
function withOptions(action: Action, { scope, ledger }: Asking): Action {
  if (action === null || action === 'https' || action.redirect !== undefined) return action
  return { ...action, ...readOwnOptions(scope, ledger) }
}

/** The modifier may be glued to the path: `location =/x`. */
function readPath(args: readonly string[]): { kind: '' | '=' | '~' | '@'; path: string } {
  const match = /^(=|\^~|~\*?|@|)(.*)$/s.exec(args.join(''))
  const modifier = match?.[1] ?? ''
  const path = match?.[2] ?? ''
  if (modifier === '=' || modifier === '@') return { kind: modifier, path }
  return { kind: modifier.startsWith('~') ? '~' : '', path }
}

function whyNothing(location: Directive, said: boolean): string {
  const program = location.block?.find(({ name }) => PROGRAM.test(name))
  const why =
    program !== undefined
      ? reasonFor(program).message
      : said
        ? 'What answers here could not be carried over.'
        : 'It names no service and no folder.'
  return `${why} No route came of it.${inside(location)}`
}

function noteExpression(location: Directive, expression: string, { ledger, host }: Asking): void {
  const block = location.block ?? []
  const program = block.find(({ name }) => PROGRAM.test(name))
  if (block.every(({ name }) => TRIFLE.test(name))) {
    const message = `The route around them answers paths like ${expression} too; what was set for them alone is not carried over.${inside(location)}`
    note(ledger, location, { level: 'dropped', message, host })
    return
  }
  const what =
    program !== undefined
      ? reasonFor(program).message
      : block.some(({ name }) => name === 'deny' || name === 'return')
        ? 'Here they were refused or sent elsewhere; now the route around them answers.'
        : 'Write a route for each path that it means.'
  const message = `Routes are paths, not regular expressions such as ${expression}. ${what}${inside(location)}`
  note(ledger, location, { level: 'not understood', message, host })
}

/** `rewrite ^/old$ /new permanent` is a redirect of one path. */
function readLiteralRewrite(rewrite: Directive, asking: Asking, routes: Routes): void {
  const [pattern = '', to = '', flag] = rewrite.args
  const paths = literalPaths(pattern)
  if (paths === undefined || (flag !== 'permanent' && flag !== 'redirect')) return
  const { host: name, overTls } = asking
  const redirect = readRedirect(flag === 'permanent' ? 308 : 302, to.replace(/\?$/, ''), {
    name,
    variables: {},
    overTls,
  })
  if (typeof redirect !== 'object') return
  take(asking.ledger, rewrite)
  for (const path of paths) if (!routes.has(path)) routes.set(path, redirect.action)
}

/** Whether files of this block's folder are the source of programs, which nobody may read. */
export function holdsPrograms(block: readonly Directive[]): boolean {
  return block.some(
    ({ name, args, block: inner }) =>
      PROGRAM.test(name) ||
      (/^(index|try_files|location)$/.test(name) && args.some((arg) => SOURCE.test(arg))) ||
      (inner !== null && holdsPrograms(inner)),
  )
}
