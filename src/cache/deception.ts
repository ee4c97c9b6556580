import { pathOf } from '#http/wire/path.ts'

/**
 * Whether what came fits the suffix of the path that it was asked under.
 *
 * Web cache deception: somebody is led to `/account/x.css`, the service answers with the page of the account, and the
 * cache keeps it for all because of `.css`. A page under the suffix of another kind of file is not kept.
 *
 * @param contentType of the response; without one it may be anything
 */
export function fitsSuffix(target: string, contentType: string | undefined): boolean {
  const suffix = /\.([a-z0-9]{1,8})$/i.exec(pathOf(target))?.[1]?.toLowerCase()
  if (suffix === undefined || !SUFFIXES.has(suffix)) return true
  const type = contentType?.split(';')[0]?.trim().toLowerCase()
  return type !== undefined && type !== '' && (type === 'image/svg+xml' || !PAGE.test(type))
}

/** Suffixes that other caches keep without a word, and that pages and data of a person do not have. */
const SUFFIXES: ReadonlySet<string> = new Set(
  `7z apk avi avif bin bmp bz2 class css csv doc docx eot eps exe flac gif gz ico iso jar jpeg jpg js mid midi mjs mkv
  mp3 mp4 ogg otf pdf pict pls png ppt pptx ps rar svg svgz swf tar tif tiff ttf wasm webm webp woff woff2 xls xlsx zip
  zst`.split(/\s+/),
)

/** What pages and data of a person come as. */
const PAGE = /^(?:text\/html|[^/]+\/(?:[^/]*\+)?(?:json|xml|x-ndjson|x-www-form-urlencoded))$/
