import { createHash } from 'node:crypto'
import { type BigIntStats, statSync } from 'node:fs'
import { opendir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { FileContent, LIMIT_WHOLE_OCTETS, readNow, readWhole } from '#core/file-content.ts'
import type { ResponseHead, Source } from '#http/exchange.ts'
import { CODINGS, type Coding } from '#http/wire/accept-encoding.ts'
import { formatDate } from '#http/wire/date.ts'
import { type Fields, fieldsOf } from '#http/wire/fields.ts'
import { sourceOf } from '#http/wire/octets-source.ts'
import { formatContentRange, type OctetRange } from '#http/wire/range.ts'
import type { Folder, NotOpened, OpenFile } from './folder.ts'
import { mediaTypeOf } from './media-type.ts'
import type { FilesPlan } from './plan.ts'
import { isMovie, movieRate } from './wire/movie-rate.ts'

/** A file ready to be sent: as it is, or as it was compressed beforehand. */
export type Representation = {
  readonly coding: Coding | null
  readonly lengthOctets: number
  readonly mediaType: string
  readonly etag: string
  readonly lastModifiedMs: number
  /** of 200 */
  readonly fields: Fields
  readonly ofNotModified: Fields
  /** of 206, beside those of the part */
  readonly ofPart: readonly (readonly [string, string])[]
  /** all of it, when it is short */
  readonly octets: Uint8Array | null
  /** where it was found, and what it was then */
  readonly path: string
  readonly stats: BigIntStats
  /** open, unless `octets` is all of it */
  readonly file: OpenFile | null
  readonly mediaRate: ResponseHead['mediaRate']
  readonly use: Use
}

/** What changes while a file is known. */
type Use = {
  isClosed: boolean
  /** when it was last seen to be what it was */
  lookedAtMs: number
  /** of the part that was sent last: players begin with the same, again and again */
  part: { readonly range: OctetRange; readonly fields: Fields } | null
}

/** What answers a path: the file, and what stands compressed beside it. */
export type Resource = {
  readonly plain: Representation
  readonly compressed: readonly Representation[]
  /** milliseconds since 1970 */
  readonly readAt: number
}

export type ResourceOptions = {
  readonly folder: Folder
  readonly plan: FilesPlan
  readonly cacheControlOf: (path: string) => string | undefined
  /** by entity tag, for files that were read for it before */
  readonly digests: Map<string, string>
  readonly nowMs: number
}

/**
 * Read what is needed of a file before any of it is sent, and look for compressed ones beside it.
 *
 * @returns holds the files open until `closeResource`
 */
export async function openResource(path: string, options: ResourceOptions): Promise<Resource | NotOpened> {
  const { folder, plan, nowMs } = options
  const file = await folder.open(path)
  if (file.kind !== 'file') return file
  const mediaType = await typeOf(folder, path)
  const beside = plan.precompressed ? await openCompressed(folder, path, file) : []
  const varies = beside.length > 0
  const described = { ...options, mediaType, varies, path }
  const compressed = await Promise.all(beside.map(([coding, found]) => describe(found, coding, described)))
  return { plain: await describe(file, null, described), compressed, readAt: nowMs }
}

/** Let go of the files; contents that are being sent keep theirs. */
export function closeResource({ plain, compressed }: Resource): void {
  for (const { file, use } of [plain, ...compressed]) {
    use.isClosed = true
    file?.close()
  }
}

/** A part of a file as a body. */
export function contentOf({ octets, file }: Representation, range: OctetRange): Source {
  if (file === null) return sourceOf((octets ?? NONE).subarray(range.first, range.last + 1))
  file.share()
  return new FileContent(file, range)
}

const NONE = new Uint8Array(0)

/** A file that is asked for more often than this is not looked at again for each request. */
const LOOK_MS = 20

/** Whether a file on disk still is what was read: the same inode, length and time of change. */
export function isCurrent({ path, stats, use }: Representation, nowMs: number): boolean {
  if (Math.abs(nowMs - use.lookedAtMs) < LOOK_MS) return true
  use.lookedAtMs = nowMs
  const now = statSync(path, { bigint: true, throwIfNoEntry: false })
  return now !== undefined && isSame(now, stats)
}

function isSame(a: BigIntStats, b: BigIntStats): boolean {
  return a.ino === b.ino && a.size === b.size && a.mtimeNs === b.mtimeNs && a.dev === b.dev
}

const EXTENSIONS: Readonly<Record<Coding, string>> = { zstd: '.zst', br: '.br', gzip: '.gz' }

/** One that is older than its file was made from another version of it. */
async function openCompressed(folder: Folder, path: string, file: OpenFile): Promise<[Coding, OpenFile][]> {
  const found = await Promise.all(
    CODINGS.map(async (coding) => [coding, await folder.open(path + EXTENSIONS[coding])] as const),
  )
  const usable: [Coding, OpenFile][] = []
  for (const [coding, beside] of found) {
    if (beside.kind !== 'file') continue
    if (beside.stats.mtimeNs >= file.stats.mtimeNs) usable.push([coding, beside])
    else beside.close()
  }
  return usable
}

type Described = ResourceOptions & {
  readonly path: string
  readonly mediaType: string
  readonly varies: boolean
}

async function describe(file: OpenFile, coding: Coding | null, options: Described): Promise<Representation> {
  const { folder, path, mediaType, plan } = options
  const lengthOctets = Number(file.stats.size)
  const { etag, lastModifiedMs } = validatorsOf(file.stats, options.nowMs)
  const isShort = lengthOctets <= LIMIT_WHOLE_OCTETS
  const octets =
    isShort && lengthOctets > 0 ? await readWhole(file, { first: 0, last: lengthOctets - 1 }) : null
  const digest = plan.digest ? await digestOf(file, octets, etag, options.digests) : undefined
  const shared = sharedFields(options, etag)
  const described: [string, string][] = [
    ...shared,
    ['X-Content-Type-Options', 'nosniff'],
    ['Last-Modified', formatDate(lastModifiedMs)],
    ['Accept-Ranges', 'bytes'],
    ...(coding === null ? [] : [['Content-Encoding', coding] as [string, string]]),
    ...(digest === undefined ? [] : [['Repr-Digest', digest] as [string, string]]),
  ]
  // RFC 9530 §2: the content of 200 is the representation.
  const contentDigest: [string, string][] = digest === undefined ? [] : [['Content-Digest', digest]]
  const isHeld = octets !== null || lengthOctets === 0
  const use: Use = { isClosed: false, lookedAtMs: 0, part: null }
  if (isHeld) file.close()
  return {
    coding,
    lengthOctets,
    mediaType,
    etag,
    lastModifiedMs,
    fields: sentAgain([['Content-Type', mediaType], ...described, ...contentDigest]),
    ofPart: described,
    ofNotModified: fieldsOf(shared),
    octets,
    path: folder.pathOf(coding === null ? path : path + EXTENSIONS[coding]),
    stats: file.stats,
    file: isHeld ? null : file,
    mediaRate: isMovie(mediaType) && !isHeld ? readMediaRate(file, lengthOctets, use) : undefined,
    use,
  }
}

/** Fields whose head is kept when it has been written. */
function sentAgain(lines: readonly (readonly [string, string])[]): Fields {
  const fields = fieldsOf(lines)
  fields.written = null
  return fields
}

/** The fields of a part. */
export function fieldsOfPart(
  { mediaType, ofPart, lengthOctets, use }: Representation,
  range: OctetRange,
): Fields {
  const { part } = use
  if (part !== null && part.range.first === range.first && part.range.last === range.last) return part.fields
  const place = formatContentRange(range, lengthOctets)
  const fields = sentAgain([['Content-Type', mediaType], ...ofPart, ['Content-Range', place]])
  use.part = { range, fields }
  return fields
}

/** Read once, when somebody asks. A short film is paced by nobody. */
function readMediaRate(file: OpenFile, lengthOctets: number, use: Use): () => number | null {
  let rate: number | null | undefined
  return () => {
    if (rate === undefined) {
      rate = use.isClosed
        ? null
        : movieRate((position, length) => readNow(file.descriptor, position, length), lengthOctets)
    }
    return rate
  }
}

/**
 * RFC 9110 §8.8.1: a strong validator changes whenever the content does. The inode tells files apart that a build gave
 * the same time and length.
 */
function validatorsOf(
  { size, mtimeNs, ino }: BigIntStats,
  nowMs: number,
): Pick<Representation, 'etag' | 'lastModifiedMs'> {
  return {
    etag: `"${size.toString(36)}-${mtimeNs.toString(36)}-${ino.toString(36)}"`,
    // RFC 9110 §8.8.2.1: no later than the Date of the response.
    lastModifiedMs: Math.min(Number(mtimeNs / 1_000_000n), nowMs),
  }
}

/** RFC 9110 §15.4.5: what 304 says, and no more. */
function sharedFields({ path, cacheControlOf, varies }: Described, etag: string): [string, string][] {
  const cacheControl = cacheControlOf(path)
  const fields: [string, string][] = [['ETag', etag]]
  if (cacheControl !== undefined) fields.push(['Cache-Control', cacheControl])
  // RFC 9110 §12.5.5
  if (varies) fields.push(['Vary', 'Accept-Encoding'])
  return fields
}

/** How many digests are remembered. */
const LIMIT_DIGESTS = 1000

/** The value of a digest field with SHA-256 (RFC 9530 §5). */
async function digestOf(
  file: OpenFile,
  octets: Uint8Array | null,
  etag: string,
  digests: ResourceOptions['digests'],
): Promise<string> {
  const known = digests.get(etag)
  if (known !== undefined) return known
  const hash = createHash('sha256')
  const length = Number(file.stats.size)
  if (octets !== null) hash.update(octets)
  else if (length > 0) {
    file.share()
    const content = new FileContent(file, { first: 0, last: length - 1 })
    for (let part = await content.read(length); part !== null; part = await content.read(length))
      hash.update(part)
  }
  const value = `sha-256=:${hash.digest('base64')}:`
  if (digests.size >= LIMIT_DIGESTS) digests.delete(digests.keys().next().value!)
  digests.set(etag, value)
  return value
}

/** Beside playlists a `.ts` is a segment of video (RFC 8216 §3.2), elsewhere source code. */
async function typeOf(folder: Folder, path: string): Promise<string> {
  if (!path.endsWith('.ts')) return mediaTypeOf(path)
  return (await hasPlaylist(dirname(folder.pathOf(path)))) ? 'video/mp2t' : mediaTypeOf(path)
}

/** Names that are looked at: a folder of a long recording begins with its playlist or has it among them. */
const LIMIT_NAMES = 10_000

async function hasPlaylist(folder: string): Promise<boolean> {
  let seen = 0
  try {
    for await (const { name } of await opendir(folder)) {
      if (name.endsWith('.m3u8')) return true
      seen++
      if (seen === LIMIT_NAMES) return false
    }
  } catch {
    // A folder whose names may not be read may still have files that may.
  }
  return false
}
