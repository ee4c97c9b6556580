import type { Setting } from '#core/settings.ts'

/** `files` of a host or route, after reading: a folder, or one with options. */
export type FilesConfig = string | FilesOptions

export type FilesOptions = {
  readonly root: string
  readonly index?: string
  readonly cleanUrls?: boolean
  readonly fallback?: string
  readonly listing?: boolean
  readonly precompressed?: boolean
  readonly cacheControl?: string | Readonly<Record<string, string>>
  readonly digest?: boolean
  readonly redirects?: string
}

const cacheControl: Setting = {
  type: 'text',
  doc: 'Value of Cache-Control (RFC 9111 §5.2); `immutable` alone stands for a year and immutable (RFC 8246).',
  example: 'max-age=3600',
}

const options: Readonly<Record<keyof FilesOptions, Setting>> = {
  root: { type: 'text', path: 'folder', doc: 'Folder, relative to the file.', example: './public' },
  index: { type: 'text', doc: 'Name of the file that stands for its folder.', initial: 'index.html' },
  cleanUrls: {
    type: 'flag',
    doc: '`/about` answers `about.html`, and `/about.html` leads to `/about`.',
    initial: false,
  },
  fallback: {
    type: 'text',
    doc: 'File below the folder that answers paths that no file has, with 200, for programs that route in the browser; paths whose last name has an extension stay 404.',
    example: 'index.html',
  },
  listing: {
    type: 'flag',
    doc: 'A folder without index answers with the list of its files.',
    initial: false,
  },
  precompressed: {
    type: 'flag',
    doc: '`style.css.zst`, `.br` or `.gz` beside `style.css`, when not older, answers clients that accept that coding.',
    initial: true,
  },
  cacheControl: {
    type: 'either',
    doc: 'Cache-Control of all files, or by pattern.',
    of: [
      cacheControl,
      {
        type: 'map',
        doc: 'The first pattern that the path matches decides: `*` stands for all but a slash, `**` for all; a pattern without slash is matched against the last name. `hashed` stands for names with a content hash, such as `app.3f9a2b1c.js`.',
        keys: 'pattern, or `hashed`',
        of: cacheControl,
      },
    ],
  },
  digest: {
    type: 'flag',
    doc: 'Repr-Digest with SHA-256, and Content-Digest where the content is the whole file (RFC 9530).',
    initial: false,
  },
  redirects: {
    type: 'text',
    doc: 'File below the folder with a redirect a line, `/old/* /new/:splat 301`; a change of it shows within a second. It is not served itself.',
    example: '_redirects',
  },
}

/** What nginx, Caddy and others call these. */
const elsewhere: Readonly<Record<string, string>> = {
  ...{
    path: 'root',
    folder: 'root',
    dir: 'root',
    directory: 'root',
    autoindex: 'listing',
    browse: 'listing',
  },
  ...{ spa: 'fallback', try_files: 'fallback', notFound: 'fallback', trailingSlash: 'cleanUrls' },
}

/** The kind of host or route that answers with the files of a folder. */
export const filesSetting: Setting = {
  type: 'either',
  doc: 'Files of a folder.',
  example: './public',
  of: [
    { type: 'text', path: 'folder', doc: 'Folder, relative to the file.', example: './public' },
    { type: 'group', doc: 'A folder with options.', required: ['root'], fields: options, elsewhere },
  ],
}
