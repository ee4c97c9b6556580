import type { RouteConfig } from '#http/host-config.ts'
import { readCache } from './caching.ts'
import { readAccess } from './guards.ts'
import { type Ledger, note, remark, take } from './notes.ts'
import { readPass, type Upstreams } from './origin.ts'
import type { Directive } from './parse.ts'
import { type Redirect, readRedirect, readRewrite } from './redirect.ts'
import { allInForce, fill, inForce, type Scope, setVariables, type Variables } from './scope.ts'
import { noteTryFiles, readFiles } from './static.ts'

/** One place of a server, asked for under one of its names. */
export type Asking = {
  readonly ledger: Ledger
  readonly upstreams: Upstreams
  readonly named: ReadonlyMap<string, Directive>
  readonly host: string
  readonly serverName: string
  readonly overTls: boolean
  /** innermost block first */
  readonly scope: Scope
  /** path of the location, `/` for the server itself */
  readonly prefix: string
  /** the location is for its path alone */
  readonly isExact?: boolean
}

/** `https`: a redirect to the same place over HTTPS. null: nothing that Portico can do, which is noted. */
export type Action = RouteConfig | 'https' | null

/** What answers in a location or server block, in the order of nginx's phases: rewrite, access, content. */
export function readAction(asking: Asking): Action {
  const returned = readReturn(asking)
  if (returned !== undefined) return returned
  const action = readContent(asking)
  const guard = readGuard(asking)
  if (guard === undefined) return action
  const { ledger, host } = asking
  const access = guard.what === WHO ? readAccess(guard.directives) : undefined
  if (access !== undefined && action !== null && action !== 'https' && !isShut(guard.directives)) {
    for (const directive of guard.directives) take(ledger, directive)
    return { ...action, access }
  }
  if (
    guard.directives.every(({ name, args }) => name === 'internal' || (name === 'deny' && args[0] === 'all'))
  ) {
    for (const directive of guard.directives) take(ledger, directive)
    return { respond: { status: guard.what === 'internal' ? 404 : 403 } }
  }
  for (const directive of guard.directives) {
    const instead = action === null ? '' : ` Guarded was ${JSON.stringify(action)}.`
    const message = `${guard.what} cannot be carried over, so 403 is answered here rather than leave it open.${instead}`
    note(ledger, directive, { level: 'not understood', message, host })
  }
  return { respond: { status: 403 } }
}

const WHO = 'Who may come'

/** Nobody may come. */
function isShut(rules: readonly Directive[]): boolean {
  return rules.every(({ name, args }) => name === 'deny' && args[0] === 'all')
}

/** undefined: nothing is returned, other directives decide. */
function readReturn(asking: Asking): Action | undefined {
  const own = asking.scope[0] ?? []
  for (const directive of own) {
    if (directive.name === 'return') return returnAction(directive, asking)
    const rewrite = directive.name === 'rewrite' ? readRewrite(directive.args) : undefined
    if (rewrite !== undefined) return redirectAction(directive, rewrite, asking)
  }
  return undefined
}

/** What a `return` answers. */
export function returnAction(directive: Directive, asking: Asking): Action {
  const [first = '', second] = directive.args
  const status = /^\d{3}$/.test(first) ? Number(first) : 302
  const text = /^\d{3}$/.test(first) ? second : first
  if ([301, 302, 303, 307, 308].includes(status) && text !== undefined) {
    return redirectAction(directive, { status, target: text }, asking)
  }
  if (status === 444) {
    note(asking.ledger, directive, {
      level: 'dropped',
      message: 'Portico answers 403 rather than nothing.',
      host: asking.host,
    })
    return { respond: { status: 403 } }
  }
  const body = text === undefined ? undefined : fill(text, variablesFor(text, asking))
  if (status < 200 || status > 599 || (text !== undefined && body === undefined)) {
    const message = `${directive.args.join(' ')} depends on the request, or is no final status.`
    note(asking.ledger, directive, { level: 'not understood', message, host: asking.host })
    return null
  }
  take(asking.ledger, directive)
  return { respond: { status, ...(body === undefined ? {} : { body, ...mediaType(asking) }) } }
}

function mediaType({ ledger, scope }: Asking): { headers?: Record<string, string> } {
  const field = scope[0]?.find(
    ({ name, args }) => name === 'add_header' && /^content-type$/i.test(args[0] ?? ''),
  )
  const type =
    take(ledger, field)?.args[1] ??
    take(
      ledger,
      scope[0]?.find(({ name }) => name === 'default_type'),
    )?.args[0]
  return type === undefined || type === 'text/plain' ? {} : { headers: { 'Content-Type': type } }
}

function redirectAction(
  directive: Directive,
  { status, target }: { status: number; target: string },
  asking: Asking,
): Action {
  const { ledger, host, overTls } = asking
  const redirect: Redirect = readRedirect(status, target, {
    name: host,
    variables: variablesFor(target, asking),
    overTls,
  })
  const lost = (message: string): null => {
    note(ledger, directive, { level: 'not understood', message, host })
    return null
  }
  if (redirect === undefined)
    return lost(`Where ${target} leads depends on more of the request than its path.`)
  if (redirect === 'to itself') return lost(`${host} would be sent to itself again and again.`)
  take(ledger, directive)
  if (redirect === 'https') return 'https'
  if (status === 301) {
    remark(ledger, directive, {
      level: 'assumed',
      message: '308 is sent instead of 301: as lasting, and it keeps the method.',
      host,
    })
  }
  return redirect.action
}

function readContent(asking: Asking): Action {
  const { ledger, scope, host, named, upstreams, prefix } = asking
  const own = scope[0] ?? []
  const pass = own.find(({ name }) => name === 'proxy_pass' || name === 'grpc_pass')
  if (pass !== undefined) {
    const action = readPass(pass, {
      ledger,
      upstreams,
      variables: variablesFor(pass.args[0] ?? '', asking),
      scope,
      host,
      prefix,
      isExact: asking.isExact === true,
    })
    return action === null ? null : { ...action, ...readCache(scope, ledger) }
  }
  const handler = own.find(({ name }) => /^(fastcgi|uwsgi|scgi|memcached)_pass$|^content_by_lua/.test(name))
  if (handler !== undefined || own.some(({ name }) => name === 'stub_status')) return null
  const tryFiles = own.find(({ name }) => name === 'try_files')
  const fallback = named.get(tryFiles?.args.at(-1) ?? '')
  if (tryFiles !== undefined && fallback !== undefined) {
    take(ledger, tryFiles)
    take(ledger, fallback)
    const message =
      'Every path goes to the service; what nginx first looked for as a file needs a route of its own, such as "/assets/**".'
    remark(ledger, tryFiles, { level: 'not understood', message, host })
    return readAction({ ...asking, named: new Map(), scope: [fallback.block ?? [], ...scope.slice(-2)] })
  }
  const files = readFiles(asking)
  const page = tryFiles?.args.at(-1) ?? ''
  // A URI that ends a list of files is a path below the root; with `alias` another location answers it.
  const isPage =
    /^\/[\w./-]+\.html?$/.test(page) && typeof files?.['files'] === 'string' && !('strip' in files)
  if (tryFiles !== undefined) noteTryFiles(tryFiles, asking, isPage)
  return isPage ? { ...files, files: { root: files['files'], fallback: page } } : listed(files, asking)
}

/** `autoindex on` */
function listed(files: RouteConfig | null, { scope, ledger }: Asking): RouteConfig | null {
  const autoindex = take(ledger, inForce(scope, 'autoindex'))
  if (files === null || autoindex?.args[0] !== 'on') return files
  const { files: folder } = files
  if (folder === undefined) return files
  return { ...files, files: { ...(typeof folder === 'string' ? { root: folder } : folder), listing: true } }
}

/** What keeps others out here; a service that was guarded must not stand open after the import. */
function readGuard({
  scope,
  ledger,
}: Asking): { what: string; directives: readonly Directive[] } | undefined {
  for (const name of ['auth_basic', 'auth_request', 'auth_jwt', 'ssl_verify_client', 'limit_except']) {
    const directive = inForce(name === 'limit_except' ? scope.slice(0, 1) : scope, name)
    if (directive === undefined) continue
    if (directive.args[0] !== 'off') return { what: name, directives: [directive] }
    take(ledger, directive)
  }
  const rules = allInForce(scope, ['allow', 'deny'])
  if (rules.some(({ name }) => name === 'deny')) return { what: WHO, directives: rules }
  for (const rule of rules) take(ledger, rule)
  const internal = scope[0]?.find(({ name }) => name === 'internal')
  return internal === undefined ? undefined : { what: 'internal', directives: [internal] }
}

/** Values of variables, for a text that may name them. */
function variablesFor(text: string, { ledger, host, serverName, scope }: Asking): Variables {
  for (const directive of scope.flat()) {
    if (directive.name === 'set' && text.includes(directive.args[0] ?? '')) take(ledger, directive)
  }
  const asked: Variables = host.startsWith('*') ? {} : { host, http_host: host }
  return setVariables(scope, { ...asked, server_name: serverName, scheme: 'https' })
}
