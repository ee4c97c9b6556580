import type { RouteConfig } from '#http/host-config.ts'
import { type Ledger, note, remark, take } from './notes.ts'
import type { Directive } from './parse.ts'
import { inForce, type Scope } from './scope.ts'

type Place = {
  readonly ledger: Ledger
  readonly scope: Scope
  readonly host: string
  readonly prefix: string
  readonly isExact?: boolean
}

/** Files under `root` or `alias`; null when no folder can be named, which is noted. */
export function readFiles(place: Place): RouteConfig | null {
  const { ledger, scope, host } = place
  const found = readFolder(place)
  if (found === null) return null
  const { files: folder, ...strip } = found
  const index = take(ledger, inForce(scope, 'index'))
  const names = index?.args ?? ['index.html']
  const others = names.filter((name) => name !== 'index.html')
  if (names.includes('index.html')) {
    if (index !== undefined && others.length > 0 && others.some((name) => name !== 'index.htm')) {
      remark(ledger, index, {
        level: 'assumed',
        message: `Of these, index.html is kept; ${others.join(', ')} went.`,
        host,
      })
    }
    return { files: folder, ...strip }
  }
  const name = names.find((candidate) => /^[\w.-]+$/.test(candidate) && !candidate.endsWith('.php'))
  if (index !== undefined && (name === undefined || names.length > 1)) {
    remark(ledger, index, {
      level: 'not understood',
      message: `${names.join(', ')}: Portico serves one static file for a folder.`,
      host,
    })
  }
  return { files: name === undefined ? folder : { root: folder, index: name }, ...strip }
}

function readFolder({
  ledger,
  scope,
  host,
  prefix,
  isExact,
}: Place): { files: string; strip?: string } | null {
  const alias = scope[0]?.find(({ name }) => name === 'alias')
  const directive = alias ?? inForce(scope, 'root')
  if (directive === undefined) return null
  const folder = directive.args[0] ?? ''
  if (folder.includes('$'))
    return lost(ledger, directive, `${folder} depends on the request; name the folder.`, host)
  if (alias === undefined) {
    take(ledger, directive)
    return { files: trimSlash(folder) }
  }
  if (isExact === true)
    return lost(ledger, alias, `${folder} is one file for one path; routes show folders.`, host)
  take(ledger, alias)
  const [shown, path] = [trimSlash(folder), trimSlash(prefix)]
  if (path === '/') return { files: shown }
  // alias /srv/static/ for /static/ says the same as root /srv.
  return shown.endsWith(path)
    ? { files: trimSlash(shown.slice(0, -path.length)) }
    : { files: shown, strip: path }
}

function lost(ledger: Ledger, directive: Directive, message: string, host: string): null {
  note(ledger, directive, { level: 'not understood', message, host })
  return null
}

function trimSlash(path: string): string {
  return path === '/' ? path : path.replace(/\/+$/, '') || '/'
}

/**
 * Say what of `try_files` Portico does differently, for one that ends in files.
 *
 * `$uri $uri/ =404` is what Portico does with files anyway.
 *
 * @param isPage whether a page at the end of it is carried over as `fallback`
 */
export function noteTryFiles(tryFiles: Directive, { ledger, host }: Place, isPage: boolean): void {
  take(ledger, tryFiles)
  const checks = tryFiles.args.slice(0, -1)
  const last = tryFiles.args.at(-1) ?? ''
  const say = (message: string) => remark(ledger, tryFiles, { level: 'not understood', message, host })
  const others = checks.filter((check) => !/^\$uri(\/|\/index\.html)?$/.test(check))
  if (others.length > 0)
    say(`Portico looks for the file and the folder's index only, not for ${others.join(' ')}.`)
  if (isPage) {
    const message = `Paths whose last name has an extension stay 404; nginx answered them with ${last} too.`
    return remark(ledger, tryFiles, { level: 'assumed', message, host })
  }
  if (last === '=404' || /^\$uri\/?$/.test(last)) return
  if (last.startsWith('=')) say(`What is not there is answered with 404, not ${last.slice(1)}.`)
  else if (/\.php/.test(last))
    say(`${last} answered what is not a file; run the program as a service and route its paths there.`)
  else
    say(
      `${last} answered what is not a file; Portico answers 404. A page that makes its own paths is "fallback" of "files".`,
    )
}
