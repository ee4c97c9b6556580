import { opendir, readFile, stat } from 'node:fs/promises'
import type { Log } from '#core/log.ts'
import type { Page } from '#http/wire/page.ts'
import { pathOf } from '#http/wire/path.ts'
import { compileCacheControl } from './cache-control.ts'
import { Folder, type NotOpened } from './folder.ts'
import { type Entry, listingPage } from './listing.ts'
import { locate, type Place } from './locate.ts'
import { NOT_OPENED, NOWHERE } from './pages.ts'
import type { FilesPlan } from './plan.ts'
import { parseRedirects, type RedirectRule, redirectFor } from './redirect-rules.ts'
import { closeResource, openResource, type Resource } from './representation.ts'

/** What stands at a target. A resource holds its files open. */
export type Found = Resource | Redirect | { readonly listing: string } | Page

type Redirect = { readonly to: string; readonly status: number }

/** Looks on disk for what answers a target. */
export class Finder {
  readonly #plan: FilesPlan
  readonly #folder: Folder
  readonly #log: Log
  readonly #pageOf: (name: string) => string | null
  readonly #cacheControlOf: (path: string) => string | undefined
  readonly #digests = new Map<string, string>()
  #redirects: readonly RedirectRule[] = []
  #redirectsVersion = ''
  #redirectsReadAt = 0

  /** @param pageOf name of the page below a file that shows it, for listings; null when there is none */
  constructor(plan: FilesPlan, log: Log, pageOf: (name: string) => string | null = () => null) {
    this.#plan = plan
    this.#log = log
    this.#pageOf = pageOf
    this.#folder = new Folder(plan.root, log)
    this.#cacheControlOf = compileCacheControl(plan.cacheControl)
  }

  /**
   * The file of the target, else what the plan has for paths without: in this order the clean URL, the index, the
   * listing, a redirect, the fallback.
   */
  async find(target: string, nowMs: number): Promise<Found> {
    const { index, cleanUrls } = this.#plan
    const place = locate(target, index)
    if (typeof place === 'string') return NOWHERE[place]
    const forced = await this.#redirect(target, nowMs, true)
    if (forced !== undefined) return forced
    const found = await this.#open(place.path, nowMs)
    if ('plain' in found) return cleanUrls ? this.#atCleanUrl(target, place, found) : found
    if (found.kind === 'folder' && !place.isFolder) return redirectTo(target, `${lastName(target)}/`)
    if (found.kind !== 'not found') return NOT_OPENED[found.kind]
    return (await this.#otherwise(target, place, nowMs)) ?? NOT_OPENED['not found']
  }

  /** What answers a path that no file has. */
  async #otherwise(target: string, place: Place, nowMs: number): Promise<Found | undefined> {
    const { cleanUrls, listing, fallback } = this.#plan
    if (cleanUrls && !place.isFolder) {
      const page = await this.#open(`${place.path}.html`, nowMs)
      if ('plain' in page) return page
    }
    if (listing && place.isFolder) {
      const list = await this.#list(target, place)
      if (list !== undefined) return list
    }
    const redirect = await this.#redirect(target, nowMs, false)
    if (redirect !== undefined) return redirect
    if (fallback === null || /\.[^/.]+$/.test(pathOf(target))) return undefined
    const page = await this.#open(fallback, nowMs)
    return 'plain' in page ? page : undefined
  }

  async #open(path: string, nowMs: number): Promise<Resource | NotOpened> {
    if (path === this.#plan.redirects) return { kind: 'not found' }
    return openResource(path, {
      folder: this.#folder,
      plan: this.#plan,
      cacheControlOf: this.#cacheControlOf,
      digests: this.#digests,
      nowMs,
    })
  }

  /** A page has one URL: the one without extension. */
  #atCleanUrl(target: string, { isFolder }: Place, found: Resource): Found {
    const name = lastName(target)
    if (isFolder || !name.endsWith('.html')) return found
    closeResource(found)
    return redirectTo(target, name === this.#plan.index ? '' : name.slice(0, -'.html'.length))
  }

  async #list(target: string, { path }: Place): Promise<{ listing: string } | undefined> {
    const below = path.slice(0, Math.max(0, path.lastIndexOf('/')))
    const folder = await this.#folder.open(below)
    if (folder.kind !== 'folder') {
      if (folder.kind === 'file') folder.close()
      return undefined
    }
    const entries: Entry[] = []
    let isCut = false
    const root = this.#folder.pathOf(below)
    for await (const { name } of await opendir(root)) {
      if (name.startsWith('.') || `${below}/${name}`.replace(/^\//, '') === this.#plan.redirects) continue
      isCut = entries.length === LIMIT_LISTED
      if (isCut) break
      const stats = await stat(`${root}/${name}`).catch(() => undefined)
      if (stats === undefined || !(stats.isFile() || stats.isDirectory())) continue
      const { size, mtimeMs } = stats
      const isFolder = stats.isDirectory()
      const page = isFolder ? null : this.#pageOf(name)
      entries.push({ name, isFolder, lengthOctets: size, modifiedMs: mtimeMs, page })
    }
    return { listing: listingPage(pathOf(target), entries, isCut) }
  }

  async #redirect(target: string, nowMs: number, isForced: boolean): Promise<Found | undefined> {
    if (this.#plan.redirects === null) return undefined
    await this.#readRedirects(this.#plan.redirects, nowMs)
    const path = pathOf(target)
    const redirect = redirectFor(this.#redirects, path, target.slice(path.length), isForced)
    if (redirect?.status !== 200) return redirect
    const place = locate(redirect.to, this.#plan.index)
    if (typeof place === 'string') return NOWHERE[place]
    const found = await this.#open(place.path, nowMs)
    return 'plain' in found ? found : NOT_OPENED[found.kind]
  }

  async #readRedirects(path: string, nowMs: number): Promise<void> {
    if (Math.abs(nowMs - this.#redirectsReadAt) < REDIRECTS_AGE_MS) return
    this.#redirectsReadAt = nowMs
    const file = this.#folder.pathOf(path)
    const stats = await stat(file).catch(() => undefined)
    const version = stats === undefined ? '' : `${stats.ino} ${stats.size} ${stats.mtimeMs}`
    if (version === this.#redirectsVersion) return
    this.#redirectsVersion = version
    const isLarge = stats !== undefined && stats.size > LIMIT_REDIRECTS_OCTETS
    if (isLarge) this.#log('error', 'files/redirects', { path, message: 'The file is larger than 1 MiB' })
    const text = stats === undefined || isLarge ? '' : await readFile(file, 'utf8')
    const { rules, faults } = parseRedirects(text)
    for (const fault of faults.slice(0, 10)) this.#log('warning', 'files/redirects', { path, ...fault })
    this.#redirects = rules
  }
}

/** Entries of a listing; a page of more is of no use to people. */
const LIMIT_LISTED = 10_000
const REDIRECTS_AGE_MS = 1000
const LIMIT_REDIRECTS_OCTETS = 2 ** 20

function lastName(target: string): string {
  const path = pathOf(target)
  return path.slice(path.lastIndexOf('/') + 1)
}

/**
 * To another name in the same folder; the query is kept.
 *
 * Relative to the path, and begun with `./`: neither `//host/` nor `javascript:x/` is made of any target.
 */
function redirectTo(target: string, name: string): Redirect {
  return { to: `./${name}${target.slice(pathOf(target).length)}`, status: 308 }
}
