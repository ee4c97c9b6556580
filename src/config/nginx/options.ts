import type { RouteConfig } from '#http/host-config.ts'
import type { ErrorPageConfig } from '#http/transform/config.ts'
import { type Ledger, take } from './notes.ts'
import type { Directive } from './parse.ts'
import { RATES, readRates } from './rates.ts'
import { allInForce, inForce, type Scope } from './scope.ts'

type Options = Pick<RouteConfig, 'compress' | 'headers' | 'errors' | 'limits'>

/** What stands beside the kind of a host: compression, fields of responses, error pages. */
export function readHostOptions(scope: Scope, ledger: Ledger): Options {
  return {
    ...readCompression(scope, ledger),
    ...readFields(scope, ledger),
    ...readErrors(scope, ledger),
    ...readRates(scope, ledger),
  }
}

/** What a location says of its own; the rest is said by its host. */
export function readOwnOptions([own = [], ...around]: Scope, ledger: Ledger): Options {
  const has = (name: string): boolean => own.some((directive) => directive.name === name)
  return {
    ...(has('gzip') ? readCompression([own], ledger) : {}),
    ...readFields([own], ledger),
    ...(has('error_page') ? readErrors([own, ...around], ledger) : {}),
    ...(RATES.some(has) ? readRates([own, ...around], ledger) : {}),
  }
}

function readCompression(scope: Scope, ledger: Ledger): Options {
  const gzip = take(ledger, inForce(scope, 'gzip'))
  return gzip === undefined || (gzip.args[0] !== 'on' && scope.length > 1)
    ? {}
    : { compress: gzip.args[0] === 'on' }
}

/** `add_header` and `proxy_hide_header`, as far as they do not depend on the request. */
function readFields(scope: Scope, ledger: Ledger): Options {
  const added = allInForce(scope, ['add_header']).filter(isPlainField)
  const hidden = allInForce(scope, ['proxy_hide_header'])
  if (added.length + hidden.length === 0) return {}
  const names = added.map(({ args: [name = ''] }) => name.toLowerCase())
  const isOnce = (_: Directive, index: number): boolean =>
    names.indexOf(names[index]!) === names.lastIndexOf(names[index]!)
  const set = Object.fromEntries(added.filter(isOnce).map(({ args }) => [args[0]!, args[1]!]))
  for (const directive of [...added.filter(isOnce), ...hidden]) take(ledger, directive)
  const remove = hidden.map(({ args: [name = ''] }) => name)
  return {
    headers: {
      response: {
        ...(Object.keys(set).length === 0 ? {} : { set }),
        ...(remove.length === 0 ? {} : { remove }),
      },
    },
  }
}

/** Written out, and no field that the connection, or Portico itself, answers for. */
function isPlainField({ args: [name = '', value = ''] }: Directive): boolean {
  const isOurs =
    /^(connection|content-length|content-type|date|keep-alive|te|trailer|transfer-encoding|upgrade|via|alt-svc)$/i
  return (
    /^[\w-]+$/.test(name) &&
    !isOurs.test(name) &&
    value !== '' &&
    /^[\x21-\x7e]+( +[\x21-\x7e]+)*$/.test(value) &&
    !/[${}]/.test(value)
  )
}

/** `error_page 404 /404.html`, when it is known where the page lies. */
function readErrors(scope: Scope, ledger: Ledger): Options {
  const hasOrigins = take(ledger, inForce(scope, 'proxy_intercept_errors'))?.args[0] === 'on'
  const errors: Record<string, ErrorPageConfig> = {}
  for (const directive of allInForce(scope, ['error_page'])) {
    const path = directive.args.at(-1) ?? ''
    const statuses = directive.args.slice(0, -1)
    const folder = folderOf(path, scope)
    if (folder === undefined || !statuses.every((status) => /^[45]\d\d$/.test(status))) continue
    take(ledger, directive)
    const page = `${folder.replace(/\/$/, '')}${path}`
    for (const status of statuses) errors[status] = hasOrigins ? { page, origin: true } : page
  }
  return Object.keys(errors).length === 0 ? {} : { errors }
}

/** The root of the location that is for the page alone, else the one around. */
function folderOf(path: string, scope: Scope): string | undefined {
  if (!/^\/[\w./-]+$/.test(path)) return undefined
  const location = scope.flat().find(({ name, args }) => name === 'location' && args.join('') === `=${path}`)
  const root = inForce(location?.block == null ? scope : [location.block, ...scope], 'root')?.args[0]
  return root === undefined || root.includes('$') ? undefined : root
}
