import type { FilesConfig } from './config.ts'

/** What a route of files does; every option is said. */
export type FilesPlan = {
  readonly kind: 'files'
  /** as written: relative to the folder of the file */
  readonly root: string
  readonly index: string
  readonly cleanUrls: boolean
  /** path below the root, without a slash at its begin */
  readonly fallback: string | null
  readonly listing: boolean
  readonly precompressed: boolean
  /** the first that matches decides */
  readonly cacheControl: readonly CacheControlRule[]
  readonly digest: boolean
  /** path below the root of the file that has redirects */
  readonly redirects: string | null
}

/** `pattern`: `hashed`, or a glob as the settings table says. */
export type CacheControlRule = { readonly pattern: string; readonly value: string }

/** Fill in what was not written. */
export function planFiles(written: FilesConfig): FilesPlan {
  const options = typeof written === 'string' ? { root: written } : written
  const { cacheControl = {} } = options
  const rules = typeof cacheControl === 'string' ? { '**': cacheControl } : cacheControl
  return {
    kind: 'files',
    root: options.root,
    index: options.index ?? 'index.html',
    cleanUrls: options.cleanUrls ?? false,
    fallback: pathBelow(options.fallback),
    listing: options.listing ?? false,
    precompressed: options.precompressed ?? true,
    cacheControl: Object.entries(rules).map(([pattern, value]) => ({
      pattern,
      value: value === 'immutable' ? 'public, max-age=31536000, immutable' : value,
    })),
    digest: options.digest ?? false,
    redirects: pathBelow(options.redirects),
  }
}

function pathBelow(path: string | undefined): string | null {
  return path === undefined ? null : path.replace(/^(?:\.?\/)+/, '')
}
