import { type AccessConfig, accessSetting } from '#access/config.ts'
import { type RateConfig, rateSettings } from '#access/limit-config.ts'
import { type BucketConfig, bucketSetting } from '#bucket/config.ts'
import { type CacheConfig, cacheSetting } from '#cache/config.ts'
import type { GroupSetting, Setting } from '#core/settings.ts'
import { type FilesConfig, filesSetting } from '#files/config.ts'
import { type StreamConfig, streamSetting } from '#media/config.ts'
import { type LiveConfig, liveSetting } from '#media/live/config.ts'
import { type ServiceConfig, serviceSetting } from './service-config.ts'
import { type PaceConfig, paceSettings, type TransformConfig, transformSettings } from './transform/config.ts'

/** What may be written under a host name, after reading. Exactly one kind stands. */
export type HostConfig = TransformConfig & {
  readonly service?: ServiceConfig
  readonly files?: FilesConfig
  readonly bucket?: BucketConfig
  readonly live?: LiveConfig
  readonly redirect?: string | { readonly to: string; readonly status?: number; readonly keepPath?: boolean }
  readonly respond?:
    | string
    | { readonly status?: number; readonly body?: string; readonly headers?: Record<string, string> }
  readonly dns?: boolean
  readonly alias?: string
  readonly routes?: Readonly<Record<string, RouteConfig>>
  /** what plain HTTP answers */
  readonly http?: 'redirect' | 'serve'
  /** file with the roots that clients' certificates must be issued under */
  readonly clientCertificates?: string
  /** who is let in; a route's own takes its place */
  readonly access?: AccessConfig
  /** how much a client may ask for, and how fast it gets it; a route's own takes its place */
  readonly limits?: RateConfig & PaceConfig
  /** how responses are kept; a route's own takes its place */
  readonly cache?: CacheConfig
  /** how films are streamed; a route's own takes its place */
  readonly stream?: StreamConfig
}

export type RouteConfig = TransformConfig &
  Pick<
    HostConfig,
    | 'service'
    | 'files'
    | 'bucket'
    | 'live'
    | 'redirect'
    | 'respond'
    | 'dns'
    | 'access'
    | 'limits'
    | 'cache'
    | 'stream'
  >

const redirect: Setting = {
  type: 'either',
  doc: 'Every request is sent elsewhere; a URL without path keeps path and query.',
  example: 'https://example.com',
  of: [
    { type: 'text', doc: 'URL, or path on the same host.', example: 'https://example.com' },
    {
      type: 'group',
      doc: 'A redirect with options.',
      required: ['to'],
      fields: {
        to: { type: 'text', doc: 'URL, or path on the same host.', example: 'https://example.com' },
        status: {
          type: 'choice',
          doc: 'Status (RFC 9110 §15.4).',
          values: [301, 302, 303, 307, 308],
          initial: 308,
        },
        keepPath: {
          type: 'flag',
          doc: 'Append path and query of the request; the default when "to" is a URL without path.',
        },
      },
    },
  ],
}

const respond: Setting = {
  type: 'either',
  doc: 'A fixed answer.',
  example: 'Hello',
  of: [
    { type: 'text', doc: 'Body, sent as text/plain with 200.', example: 'Hello' },
    {
      type: 'group',
      doc: 'An answer with options.',
      fields: {
        status: { type: 'integer', doc: 'Status (RFC 9110 §15).', min: 200, max: 599, initial: 200 },
        body: { type: 'text', doc: 'Content.', initial: '' },
        headers: {
          type: 'map',
          doc: 'Fields of the answer.',
          keys: 'field name',
          of: { type: 'text', doc: 'Value.' },
        },
      },
    },
  ],
}

const routeKinds: Readonly<Record<string, Setting>> = {
  service: serviceSetting,
  files: filesSetting,
  bucket: bucketSetting,
  live: liveSetting,
  redirect,
  respond,
  dns: {
    type: 'flag',
    doc: 'DNS over HTTPS (RFC 8484): the same answers as over the listeners of DNS. The usual path is "/dns-query".',
    example: true,
  },
}

/** What nginx, Caddy, Traefik and HAProxy call what answers, and what stands beside it. */
const elsewhere: Readonly<Record<string, string>> = {
  ...{
    proxy: 'service',
    proxy_pass: 'service',
    reverse_proxy: 'service',
    reverseProxy: 'service',
    upstream: 'service',
  },
  ...{
    upstreams: 'service',
    backend: 'service',
    backends: 'service',
    origin: 'service',
    port: 'service',
    target: 'service',
  },
  ...{
    url: 'service',
    server: 'service',
    servers: 'service',
    services: 'service',
    run: 'service',
    command: 'service',
  },
  ...{
    root: 'files',
    static: 'files',
    folder: 'files',
    dir: 'files',
    directory: 'files',
    path: 'files',
    file_server: 'files',
  },
  ...{
    return: 'redirect',
    redir: 'redirect',
    to: 'redirect',
    text: 'respond',
    body: 'respond',
    response: 'respond',
  },
  ...{
    cname: 'alias',
    CNAME: 'alias',
    location: 'routes',
    locations: 'routes',
    paths: 'routes',
    handle: 'routes',
  },
  ...{
    gzip: 'compress',
    encode: 'compress',
    brotli: 'compress',
    auth: 'access',
    basicauth: 'access',
    basic_auth: 'access',
  },
  ...{ header: 'headers', rateLimit: 'limits', rate_limit: 'limits', mtls: 'clientCertificates' },
}

const limits: GroupSetting = { ...rateSettings, fields: { ...rateSettings.fields, ...paceSettings } }

const route: GroupSetting = {
  type: 'group',
  doc: 'What answers under a path.',
  fields: {
    ...routeKinds,
    access: accessSetting,
    limits,
    cache: cacheSetting,
    stream: streamSetting,
    ...transformSettings,
  },
  oneOf: Object.keys(routeKinds),
  elsewhere,
}

const hostKinds: Readonly<Record<string, Setting>> = {
  ...routeKinds,
  alias: {
    type: 'text',
    doc: 'A CNAME: the name is served elsewhere, at this host.',
    example: 'shop.service.com',
  },
  routes: {
    type: 'map',
    doc: 'What answers by path; the most specific pattern wins, whatever the order.',
    keys: 'path pattern',
    of: route,
  },
}

/** Settings of one host: one kind, and options beside it. */
export const hostSettings: GroupSetting = {
  type: 'group',
  doc: 'A host of the domain.',
  fields: {
    ...hostKinds,
    ...transformSettings,
    http: {
      type: 'choice',
      doc: 'What plain HTTP answers: a redirect to HTTPS, or the same as HTTPS.',
      values: ['redirect', 'serve'],
      initial: 'redirect',
    },
    clientCertificates: {
      type: 'text',
      path: 'file',
      doc: 'File with roots (PEM): only clients with a certificate under one of them are let in (mutual TLS). Sessions are not resumed then, on any host.',
      example: './clients.pem',
    },
    access: accessSetting,
    limits,
    cache: cacheSetting,
    stream: streamSetting,
  },
  oneOf: Object.keys(hostKinds),
  elsewhere,
}
