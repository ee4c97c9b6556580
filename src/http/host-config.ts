import { type AccessConfig, accessSetting } from '#access/config.ts'
import { type RateConfig, rateSettings } from '#access/limit-config.ts'
import type { GroupSetting, Setting } from '#core/settings.ts'
import type { RunConfig } from '#processes/plan.ts'
import { type TransformConfig, transformSettings } from './transform/config.ts'

/** What may be written under a host name, after reading. Exactly one kind stands. */
export type HostConfig = TransformConfig & {
  readonly service?: ServiceConfig
  readonly files?: string | { readonly root: string; readonly index?: string }
  readonly redirect?: string | { readonly to: string; readonly status?: number; readonly keepPath?: boolean }
  readonly respond?:
    | string
    | { readonly status?: number; readonly body?: string; readonly headers?: Record<string, string> }
  readonly alias?: string
  readonly routes?: Readonly<Record<string, RouteConfig>>
  /** what plain HTTP answers */
  readonly http?: 'redirect' | 'serve'
  /** who is let in; a route's own takes its place */
  readonly access?: AccessConfig
  /** how much a client may ask for; a route's own takes its place */
  readonly limits?: RateConfig
}

export type RouteConfig = TransformConfig &
  Pick<HostConfig, 'service' | 'files' | 'redirect' | 'respond' | 'access' | 'limits'>

export type ServiceConfig =
  | number
  | string
  | readonly string[]
  | { readonly url: string | readonly string[]; readonly verify?: boolean }
  | RunConfig

const url: Setting = {
  type: 'text',
  doc: 'URL of an origin: scheme, host and port.',
  form: { pattern: '^https?://[^/?#\\s@]+/?$', say: 'a URL such as "http://127.0.0.1:8081", without path' },
  example: 'http://10.0.0.5:3000',
}

const port: Setting = {
  type: 'integer',
  doc: 'Port of a service on this machine, reached at 127.0.0.1.',
  min: 1,
  max: 65_535,
  example: 8081,
}

const run: Setting = {
  type: 'group',
  doc: 'A program that Portico starts, gives a free port in PORT, restarts and stops.',
  required: ['run'],
  fields: {
    run: {
      type: 'either',
      doc: 'Command line, split as a shell does without expanding anything; or a list of words.',
      of: [
        { type: 'text', doc: 'Command line.', example: 'node server.js' },
        { type: 'list', doc: 'Program and arguments.', of: { type: 'text', doc: 'Word.' }, max: 100 },
      ],
    },
    cwd: { type: 'text', doc: 'Folder in which it runs; relative to the file.', example: './app' },
    env: {
      type: 'map',
      doc: 'Environment variables beside those of Portico.',
      keys: 'name',
      of: { type: 'text', doc: 'Value.' },
    },
    port: { type: 'integer', doc: 'Port it must get, instead of a free one.', min: 1, max: 65_535 },
  },
}

const service: Setting = {
  type: 'either',
  doc: 'Requests are passed on to this service.',
  example: 8081,
  of: [
    port,
    url,
    { type: 'list', doc: 'Several origins, taken in turn.', of: url, max: 64 },
    {
      type: 'group',
      doc: 'An origin with options.',
      required: ['url'],
      fields: {
        url: { type: 'list', doc: 'URL, or several taken in turn.', of: url, single: true, max: 64 },
        verify: { type: 'flag', doc: "Verify an https origin's certificate.", initial: true },
      },
    },
    run,
  ],
}

const files: Setting = {
  type: 'either',
  doc: 'Files of a folder.',
  example: './public',
  of: [
    { type: 'text', doc: 'Folder, relative to the file.', example: './public' },
    {
      type: 'group',
      doc: 'A folder with options.',
      required: ['root'],
      fields: {
        root: { type: 'text', doc: 'Folder, relative to the file.', example: './public' },
        index: { type: 'text', doc: 'Name of the file that stands for its folder.', initial: 'index.html' },
      },
    },
  ],
}

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

const routeKinds: Readonly<Record<string, Setting>> = { service, files, redirect, respond }

const route: GroupSetting = {
  type: 'group',
  doc: 'What answers under a path.',
  fields: { ...routeKinds, access: accessSetting, limits: rateSettings, ...transformSettings },
  oneOf: Object.keys(routeKinds),
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
    access: accessSetting,
    limits: rateSettings,
  },
  oneOf: Object.keys(hostKinds),
}
