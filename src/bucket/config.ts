import type { Setting } from '#core/settings.ts'

/** `bucket` of a host or route, after reading: a folder, or one with options. */
export type BucketConfig = string | BucketOptions

export type BucketOptions = {
  readonly root: string
  readonly store?: StoreConfig
  readonly read?: 'anyone' | 'keys'
  readonly write?: 'local' | 'keys' | 'anyone'
  readonly keys?: Readonly<Record<string, KeyConfig>>
  readonly listing?: boolean
  readonly page?: boolean
  readonly versions?: boolean
  readonly quota?: number
  readonly maxSize?: number
  readonly types?: readonly string[]
  readonly mismatch?: 'detected' | 'declared' | 'refuse'
  readonly parts?: number
  readonly fields?: number
  readonly incomplete?: number
  readonly sync?: boolean
  readonly resumable?: boolean
}

export type StoreConfig = {
  readonly s3: string
  readonly key: string
  readonly secret: string
  readonly region?: string
}

export type KeyConfig = {
  readonly secret: string
  readonly allow?: 'read' | 'write' | 'both'
  readonly prefix?: string
}

const key: Setting = {
  type: 'group',
  doc: 'A key: it signs requests of S3 clients and URLs, and `Authorization: Bearer ID.SECRET` says it plainly.',
  required: ['secret'],
  fields: {
    secret: {
      type: 'text',
      doc: 'File whose first line is the secret, relative to the file; at least 16 characters.',
      example: './media.secret',
    },
    allow: {
      type: 'choice',
      doc: 'What it is good for; `write` includes DELETE.',
      values: ['read', 'write', 'both'],
      initial: 'both',
    },
    prefix: { type: 'text', doc: 'Only keys of objects that begin so.', initial: '', example: 'photos/' },
  },
}

const store: Setting = {
  type: 'group',
  doc: 'An S3 service that has the contents of objects, by their hash, in place of the folder. What is said of objects stays in the folder, and so do uploads until they are complete.',
  required: ['s3', 'key', 'secret'],
  fields: {
    s3: {
      type: 'text',
      doc: 'URL of a bucket there, which nobody else writes to; a path behind its name is put before all keys.',
      form: { pattern: '^https?://[^/?#@\\s]+/[^?#\\s]+$', say: 'https://host/bucket' },
      example: 'https://s3.eu-central-1.amazonaws.com/media',
    },
    key: { type: 'text', doc: 'Access key id.', example: 'AKIAIOSFODNN7EXAMPLE' },
    secret: {
      type: 'text',
      doc: 'File whose first line is the secret access key, relative to the file.',
      example: './s3.secret',
    },
    region: { type: 'text', doc: 'Region that signatures are for.', initial: 'us-east-1' },
  },
}

const options: Readonly<Record<keyof BucketOptions, Setting>> = {
  root: { type: 'text', doc: 'Folder, relative to the file; it is made.', example: './media' },
  store,
  read: {
    type: 'choice',
    doc: 'Who may GET objects whose names they know.',
    values: ['anyone', 'keys'],
    initial: 'anyone',
  },
  write: {
    type: 'choice',
    doc: 'Who may upload, delete and list. `local`: programs of this machine, when neither `keys` nor `access` stand; with `access`, whoever it lets in; with `keys`, those who have one.',
    values: ['local', 'keys', 'anyone'],
  },
  keys: {
    type: 'map',
    doc: 'Keys, by their id, such as an S3 access key id.',
    keys: 'id of the key',
    of: key,
  },
  listing: { type: 'flag', doc: 'Everyone who may read may list, too.', initial: false },
  page: {
    type: 'flag',
    doc: 'A page for uploads answers browsers at paths that end with a slash.',
    initial: false,
  },
  versions: {
    type: 'flag',
    doc: 'What is replaced or deleted stays, and can be asked for with `?version=`.',
    initial: false,
  },
  quota: {
    type: 'size',
    doc: 'What all objects and their versions may hold together; 507 beyond. Without it, as much as the disk.',
    min: 1,
    max: 2 ** 50,
    example: '100GB',
  },
  maxSize: {
    type: 'size',
    doc: 'Largest object; `limits.http.body` holds for the whole request too.',
    initial: 2 ** 34,
    min: 1,
    max: 2 ** 44,
    source: 'a long video in one upload',
  },
  types: {
    type: 'list',
    doc: 'Media types that are taken, declared and detected, such as `image/*`; 415 for others. Without it, all.',
    of: {
      type: 'text',
      doc: 'Type, or `type/*`.',
      form: { pattern: '^[\\w.+-]+/(?:\\*|[\\w.+-]+)$', say: 'type/subtype or type/*' },
    },
    max: 100,
    example: ['image/*', 'video/mp4'],
  },
  mismatch: {
    type: 'choice',
    doc: 'When the octets show another type than the request says: serve as what they are, as what was said, or refuse with 415.',
    values: ['detected', 'declared', 'refuse'],
    initial: 'detected',
  },
  parts: {
    type: 'integer',
    doc: 'Files and fields of one form.',
    unit: 'parts',
    initial: 1000,
    min: 1,
    max: 100_000,
    source: 'a folder of photographs',
  },
  fields: {
    type: 'size',
    doc: 'Fields of one form together, and all of a JSON text but its files.',
    initial: 2 ** 20,
    min: 1024,
    max: 2 ** 26,
    source: 'they are held in memory',
  },
  incomplete: {
    type: 'duration',
    doc: 'For how long an upload that stopped can be resumed.',
    initial: 86_400_000,
    min: 60_000,
    max: 30 * 86_400_000,
    source: 'a night, and the way home',
  },
  resumable: {
    type: 'flag',
    doc: 'Resumable uploads also as the IETF drafts them (draft-ietf-httpbis-resumable-upload), beside tus.',
    initial: false,
    source: 'a draft may change',
  },
  sync: {
    type: 'flag',
    doc: 'An upload is answered when the disk has it, so that a power failure does not lose it.',
    initial: true,
  },
}

/** The kind of host or route that keeps objects. */
export const bucketSetting: Setting = {
  type: 'either',
  doc: 'A bucket: objects that are uploaded and downloaded, by HTTP, by forms, resumable and by S3 clients.',
  example: './media',
  of: [
    { type: 'text', doc: 'Folder, relative to the file.', example: './media' },
    { type: 'group', doc: 'A bucket with options.', required: ['root'], fields: options },
  ],
}
