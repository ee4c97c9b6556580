import type { GroupSetting, Setting } from '#core/settings.ts'
import type { RunConfig } from '#processes/plan.ts'

/** What may be written as `service`, after reading. */
export type ServiceConfig = number | string | readonly OriginConfig[] | ServiceGroup | RunConfig

export type OriginConfig = string | { readonly url: string; readonly weight?: number }

/** The long form; durations are milliseconds. */
export type ServiceGroup = {
  readonly url: string | readonly OriginConfig[]
  readonly verify?: boolean
  readonly policy?: PolicyName | { readonly hash: string }
  readonly health?: HealthConfig
  readonly circuit?: CircuitConfig
  readonly slowStart?: number
  readonly retry?: { readonly times?: number; readonly status?: readonly number[] }
  readonly fallback?: string
  readonly tls?: TlsConfig
  readonly proxyProtocol?: 1 | 2
}

export type PolicyName = 'round-robin' | 'least-connections' | 'first-available' | 'random'

export type HealthConfig = {
  readonly path: string
  readonly interval?: number
  readonly timeout?: number
  readonly status?: readonly number[]
  readonly up?: number
  readonly down?: number
}

export type CircuitConfig = {
  readonly failures: number
  readonly pause?: number
  readonly status?: readonly number[]
}

export type TlsConfig = {
  readonly ca?: string
  readonly name?: string
  readonly certificate?: string
  readonly key?: string
}

const url: Setting = {
  type: 'text',
  doc: 'URL of an origin: scheme, host and port; or the path of a Unix socket after "unix:". The schemes "h2c" and "h2" stand for HTTP/2, without and with TLS, as gRPC wants it.',
  form: {
    pattern: '^((https?|h2c?)://[^/?#\\s@]+/?|unix:/[^\\s\\u0000]{1,103})$',
    say: 'a URL such as "http://127.0.0.1:8081", without path, or "unix:/run/app.sock"',
  },
  example: 'http://10.0.0.5:3000',
  meant: meantOrigin,
}

/** What people write as an origin beside URLs: the command that starts it, or a URL with the path of a request. */
function meantOrigin(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined
  const [, port] = /^:?(\d{1,5})$/.exec(value) ?? []
  if (port !== undefined) return port
  const [, origin, path] = /^((?:https?:\/\/)?[\w.-]+:\d+)(\/[^?#]*[^/?#])/.exec(value) ?? []
  if (origin !== undefined) {
    const url = JSON.stringify(origin.startsWith('http') ? origin : `http://${origin}`)
    return `${url}, and beside "service": "rewrite": "${path}/**"`
  }
  const isCommand =
    /^(\.{0,2}\/)?[\w./-]+( |$)/.test(value) && (/\s/.test(value) || /^\.{0,2}\/./.test(value))
  return isCommand ? `{ "run": ${JSON.stringify(value)} }` : undefined
}

const port: Setting = {
  type: 'integer',
  doc: 'Port of a service on this machine, reached at 127.0.0.1.',
  min: 1,
  max: 65_535,
  example: 8081,
}

const origin: Setting = {
  type: 'either',
  doc: 'An origin.',
  of: [
    url,
    {
      type: 'group',
      doc: 'An origin with its share of the requests.',
      required: ['url'],
      fields: {
        url,
        weight: {
          type: 'integer',
          doc: 'Share of the requests, beside the weights of the other origins.',
          initial: 1,
          min: 1,
          max: 1000,
        },
      },
    },
  ],
}

const status = (doc: string, initial: readonly number[]): Setting => {
  const of: Setting = { type: 'integer', doc: 'Status (RFC 9110 §15).', min: 200, max: 599 }
  return { type: 'list', doc, of, initial, single: true, max: 100 }
}

const policy: Setting = {
  type: 'either',
  doc: 'Which of several origins a request goes to.',
  example: 'least-connections',
  of: [
    {
      type: 'choice',
      doc: 'In turn by weight; the one with the fewest requests for its weight; the first of the list that is up; at random by weight.',
      values: ['round-robin', 'least-connections', 'first-available', 'random'],
      initial: 'round-robin',
    },
    {
      type: 'group',
      doc: 'Equal values lead to the same origin as long as it is up; when one goes, only its requests move.',
      required: ['hash'],
      fields: {
        hash: {
          type: 'text',
          doc: "The client's address, a field or a cookie; a request without it goes by the address.",
          form: {
            pattern: "^(client|(header|cookie):[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100})$",
            say: '"client", or a name as in "header:X-User" or "cookie:session",',
          },
          example: 'cookie:session',
        },
      },
    },
  ],
}

const health: GroupSetting = {
  type: 'group',
  doc: 'Origins are asked regularly whether they are well, whether clients ask or not.',
  required: ['path'],
  fields: {
    path: {
      type: 'text',
      doc: 'What is asked for, by GET.',
      form: { pattern: '^/[\\x21-\\x7e]{0,1000}$', say: 'a path such as "/healthz"' },
      example: '/healthz',
    },
    interval: {
      type: 'duration',
      doc: 'Time between checks of one origin, a tenth more or less by chance.',
      initial: 10_000,
      min: 500,
      max: 3_600_000,
    },
    timeout: {
      type: 'duration',
      doc: 'Time for a check, with its connection.',
      initial: 2000,
      min: 10,
      max: 600_000,
    },
    status: status('Statuses that say the origin is well.', [200]),
    up: {
      type: 'integer',
      doc: 'Good checks in a row until an origin that was down is used again.',
      initial: 2,
      min: 1,
      max: 100,
    },
    down: {
      type: 'integer',
      doc: 'Bad checks in a row until an origin is not used any more.',
      initial: 3,
      min: 1,
      max: 100,
    },
  },
}

const circuit: GroupSetting = {
  type: 'group',
  doc: 'An origin that fails requests is left alone for a time; then one request is tried. Each worker counts for itself.',
  required: ['failures'],
  fields: {
    failures: {
      type: 'integer',
      doc: 'Failures in a row until it is left alone: no answer, or one of the statuses.',
      min: 1,
      max: 10_000,
      example: 5,
    },
    pause: { type: 'duration', doc: 'How long.', initial: 5000, min: 100, max: 3_600_000 },
    status: status('Statuses that count as failures.', [500, 502, 503, 504]),
  },
}

const retry: GroupSetting = {
  type: 'group',
  doc: 'When a request is passed on again, to another origin. One that may have been taken is asked again only when it is idempotent and has no content (RFC 9110 §9.2.2), and for no more than a fifth of the requests.',
  fields: {
    times: {
      type: 'integer',
      doc: 'How often, beside origins that no connection could be opened to.',
      initial: 2,
      min: 0,
      max: 10,
    },
    status: status('Statuses after which another origin is asked.', []),
  },
}

const tls: GroupSetting = {
  type: 'group',
  doc: 'How https and h2 origins are spoken to. Files are relative to the file, and read anew when the origin changes.',
  fields: {
    ca: {
      type: 'text',
      path: 'file',
      doc: 'File (PEM) with the authorities to trust instead of those of the system.',
      example: './ca.pem',
    },
    name: {
      type: 'text',
      doc: 'The name that is asked for (SNI) and that the certificate must have, instead of that of the URL.',
      form: { pattern: '^[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*$', say: 'a host name' },
      example: 'api.internal',
    },
    certificate: {
      type: 'text',
      path: 'file',
      doc: 'File (PEM) with the certificate to show, and its chain.',
      example: './client.pem',
    },
    key: {
      type: 'text',
      path: 'file',
      doc: "File (PEM) with the certificate's key.",
      example: './client.key',
    },
  },
}

const group: GroupSetting = {
  type: 'group',
  doc: 'Origins with options.',
  required: ['url'],
  fields: {
    url: { type: 'list', doc: 'An origin, or several.', of: origin, single: true, max: 64 },
    verify: { type: 'flag', doc: 'Verify the certificate of an https or h2 origin.', initial: true },
    policy,
    health,
    circuit,
    slowStart: {
      type: 'duration',
      doc: 'Time over which the share of an origin that came back grows from a tenth to the whole.',
      initial: 0,
      min: 0,
      max: 3_600_000,
    },
    retry,
    fallback: { ...url, doc: 'The origin that is asked while all others are down.' },
    tls,
    proxyProtocol: {
      type: 'choice',
      doc: "Version of the PROXY protocol that tells http origins the client's address; each request then has a connection of its own.",
      values: [1, 2],
    },
  },
}

const run: Setting = {
  type: 'group',
  doc: 'A program that Portico starts, gives a free port in PORT, restarts and stops.',
  required: ['run'],
  elsewhere: { command: 'run', cmd: 'run', exec: 'run', start: 'run' },
  fields: {
    run: {
      type: 'either',
      doc: 'Command line, split as a shell does without expanding anything; or a list of words.',
      of: [
        { type: 'text', doc: 'Command line.', example: 'node server.js' },
        { type: 'list', doc: 'Program and arguments.', of: { type: 'text', doc: 'Word.' }, max: 100 },
      ],
    },
    cwd: {
      type: 'text',
      path: 'folder',
      doc: 'Folder in which it runs; relative to the file.',
      example: './app',
    },
    env: {
      type: 'map',
      doc: 'Environment variables beside those of Portico.',
      keys: 'name',
      of: { type: 'text', doc: 'Value.' },
    },
    port: { type: 'integer', doc: 'Port it must get, instead of a free one.', min: 1, max: 65_535 },
  },
}

/** Settings of `service`: where requests are passed on to, and how. */
export const serviceSetting: Setting = {
  type: 'either',
  doc: 'Requests are passed on to this service.',
  example: 8081,
  of: [port, url, { type: 'list', doc: 'Several origins, taken in turn.', of: origin, max: 64 }, group, run],
}
