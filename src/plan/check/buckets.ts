import { posix } from 'node:path'
import { checkBucket } from '#bucket/check-plan.ts'
import type { BucketConfig } from '#bucket/config.ts'
import type { Config } from '#config/load.ts'
import type { Position, Problem } from '#core/problem.ts'
import type { FilesConfig } from '#files/config.ts'
import type { Across } from './across.ts'

/** A folder that a host or route names. */
type Folder = {
  readonly kind: 'bucket' | 'files'
  /** as written */
  readonly root: string
  readonly at: Position
}

/** Each bucket alone, and then the folders of all: what a bucket keeps is nobody else's to serve. */
export function checkBuckets({ hosts, facts }: Across): Problem[] {
  const problems: Problem[] = []
  const folders: Folder[] = []
  for (const { written, at } of hosts) {
    const routes = Object.entries(written.routes ?? {})
    for (const [pattern, action] of [[undefined, written] as const, ...routes]) {
      const { bucket, files } = action
      if (bucket !== undefined) {
        problems.push(
          ...checkBucket({
            bucket,
            secrets: facts.secrets,
            at: (...option) => at(pattern, 'bucket', ...option),
          }),
        )
        folders.push({ kind: 'bucket', root: rootOf(bucket), at: at(pattern, 'bucket') })
      }
      if (files !== undefined) folders.push({ kind: 'files', root: rootOf(files), at: at(pattern, 'files') })
    }
  }
  return [...problems, ...checkFolders(folders)]
}

/** Files of the secrets of all buckets, films and live streams, as written. */
export function secretFilesOf({ value }: Config): string[] {
  const actions = Object.values(value.domains)
    .flatMap(({ hosts = {} }) => Object.values(hosts))
    .flatMap((host) => [host, ...Object.values(host.routes ?? {})])
  return actions.flatMap(({ bucket, live, stream }) => {
    const { keys = {}, store } = typeof bucket === 'object' ? bucket : {}
    const { sign = {}, encrypt = [] } = typeof stream === 'object' ? stream : {}
    const ofFilms = [encrypt].flat().map((secret) => (typeof secret === 'string' ? secret : secret.secret))
    const ofBucket = [...Object.values(keys), store ?? []].flat().map(({ secret }) => secret)
    const { key = [] } = typeof live === 'object' ? live : {}
    return [...ofBucket, ...Object.values(sign), ...ofFilms, ...[key].flat()]
  })
}

function rootOf(written: BucketConfig | FilesConfig): string {
  return typeof written === 'string' ? written : written.root
}

function checkFolders(folders: readonly Folder[]): Problem[] {
  const buckets = folders.filter(({ kind }) => kind === 'bucket')
  return folders.flatMap((folder): Problem[] => {
    const { at, root, kind } = folder
    // Two routes may lead to one bucket.
    const other = buckets.find((bucket) =>
      kind === 'files'
        ? holds(bucket.root, root) || holds(root, bucket.root)
        : holds(bucket.root, root) && !holds(root, bucket.root),
    )
    if (other === undefined) return []
    const fix = 'give each a folder of its own, beside the other'
    if (kind === 'bucket') {
      const message = `The bucket ${root} lies in the folder of the bucket ${other.root}, which keeps nothing there that it does not know.`
      return [{ level: 'error', code: 'bucket/in-bucket', at, message, fix }]
    }
    const message = `"files" serves ${root}, and with it the blobs and the database of the bucket ${other.root}, whatever the bucket allows.`
    return [{ level: 'error', code: 'bucket/served-as-files', at, message, fix }]
  })
}

/** Whether a folder is another one or lies in it, as far as their names say. */
function holds(outer: string, inner: string): boolean {
  const path = posix.relative(absolute(outer), absolute(inner))
  return path === '' || (path !== '..' && !path.startsWith('../'))
}

/** Paths are relative to the folder of the file, wherever that is. */
function absolute(root: string): string {
  return posix.resolve('/folder of the file', root)
}
