import { isIP } from 'node:net'
import { type ClientLimitsConfig, clientLimitSettings, memorySetting } from '#access/limit-config.ts'
import { type CacheStoreConfig, cacheStoreSettings } from '#cache/config.ts'
import type { GroupSetting, Setting } from '#core/settings.ts'
import { type DnsConfig, type DnsLimitsConfig, dnsSettings, mannerSettings } from '#dns/config.ts'
import { type DnssecConfig, dnssecSetting } from '#dns/dnssec/config.ts'
import { type PlacesConfig, type PoolsConfig, placeSettings, poolSettings } from '#dns/pools/config.ts'
import { type RecordsConfig, recordSettings, type TtlConfig } from '#dns/records/config.ts'
import { type KeysConfig, keySettings, type MovesConfig, moveSettings } from '#dns/transfer/config.ts'
import { type HttpLimitsConfig, httpLimitSettings } from '#http/config.ts'
import { type HostConfig, hostSettings } from '#http/host-config.ts'
import { type AccessLogConfig, accessLogSetting } from '#log/config.ts'
import { type MetricsConfig, metricsSettings } from '#metrics/config.ts'
import { type CertificatesConfig, certificateSettings } from '#tls/config.ts'
import { type RequestIdConfig, requestIdSettings, type TracesConfig, tracesSettings } from '#traces/config.ts'

/** The file after reading: defaults filled in, sizes in octets, durations in milliseconds. */
export type PorticoConfig = {
  readonly address?: readonly string[]
  readonly contact?: string
  readonly domains: Readonly<Record<string, DomainConfig>>
  readonly keys: KeysConfig
  readonly certificates: CertificatesConfig
  readonly dns: DnsConfig
  readonly pools: PoolsConfig
  readonly places: PlacesConfig
  readonly listen: ListenConfig
  readonly state: string
  readonly workers?: number
  readonly trust: readonly string[]
  readonly limits: {
    readonly http: HttpLimitsConfig
    readonly dns: DnsLimitsConfig
    readonly client: ClientLimitsConfig
    readonly memory?: number
  }
  readonly log: { readonly access?: AccessLogConfig; readonly console: 'readable' | 'json' | 'off' }
  readonly metrics: MetricsConfig
  readonly requestId: RequestIdConfig
  readonly traces?: TracesConfig
  readonly cache: CacheStoreConfig
}

export type DomainConfig = MovesConfig & {
  readonly hosts: Readonly<Record<string, HostConfig>>
  readonly records: RecordsConfig
  readonly ttl?: TtlConfig
  readonly dnssec?: DnssecConfig
}

/** Each is `host:port`, `:port` (all addresses) or `off`. */
export type ListenConfig = {
  readonly dns: readonly string[]
  readonly dot: readonly string[]
  readonly http: readonly ListenerConfig[]
  readonly https: readonly ListenerConfig[]
  readonly admin: string
}

export type ListenerConfig = string | { readonly at: string; readonly proxyProtocol: readonly string[] }

const listener: Setting = {
  type: 'text',
  doc: 'Address and port, or a port on all addresses.',
  form: {
    pattern: '^(off|(\\[[0-9a-fA-F:.]+\\]|[0-9.]+|localhost)?:(\\d{1,5}))$',
    say: '":443" (all addresses), "127.0.0.1:8443", "[::1]:8443" or "off"',
  },
  example: ':443',
  meant: meantListener,
}

/** A port alone, or an address alone: it gets the port that is usual. */
function meantListener(value: unknown, path: readonly (string | number)[]): string | undefined {
  if (typeof value === 'number') return `":${value}"`
  if (typeof value !== 'string' || isIP(value) === 0) return undefined
  const usual = { dns: 53, dot: 853, http: 80 }[String(path[1])] ?? 443
  return `"${value.includes(':') ? `[${value}]` : value}:${usual}"`
}

const proxiedListener: Setting = {
  type: 'either',
  doc: 'Where to listen, and whether proxies stand before it.',
  meant: meantListener,
  of: [
    listener,
    {
      type: 'group',
      doc: 'A listener that other proxies connect to.',
      required: ['at', 'proxyProtocol'],
      fields: {
        at: listener,
        proxyProtocol: {
          type: 'list',
          doc: 'Networks of proxies that say first who their client is, by the PROXY protocol (version 1 or 2). Peers elsewhere are clients themselves.',
          of: { type: 'text', doc: 'Address or network (CIDR).', example: '10.0.0.0/8' },
          single: true,
          max: 256,
        },
      },
    },
  ],
}

function listeners(what: string, initial: string, of: Setting = listener): Setting {
  return {
    type: 'list',
    doc: what,
    of,
    single: true,
    max: 16,
    initial: [initial],
    example: initial,
  }
}

const listen: GroupSetting = {
  type: 'group',
  doc: 'Where Portico listens.',
  fields: {
    dns: listeners('DNS over UDP and TCP.', ':53'),
    dot: {
      type: 'list',
      doc: 'DNS over TLS (RFC 7858), with the certificates of the hosts. The usual port is 853.',
      of: listener,
      single: true,
      max: 16,
      initial: [],
      example: ':853',
    },
    http: listeners(
      'HTTP/1.1, and HTTP/2 for clients that begin with it; redirects to HTTPS unless a host says otherwise.',
      ':80',
      proxiedListener,
    ),
    https: listeners('HTTPS.', ':443', proxiedListener),
    admin: {
      type: 'text',
      doc: 'Status, reload and explain for the command line; loopback only, with a token kept in state.',
      form: {
        pattern: '^(off|(127\\.[0-9.]+|\\[::1\\]|localhost):(\\d{1,5}))$',
        say: 'a loopback address with port, such as "127.0.0.1:9053", or "off"',
      },
      initial: '127.0.0.1:9053',
      example: '127.0.0.1:9053',
    },
  },
}

const domain: GroupSetting = {
  type: 'group',
  doc: 'A domain: its hosts, and records that do not follow from them.',
  fields: {
    hosts: {
      type: 'map',
      doc: 'What answers under each name. "@" is the domain itself, "*" every other name.',
      keys: 'host name below the domain',
      of: hostSettings,
    },
    ...recordSettings,
    dnssec: dnssecSetting,
    ...moveSettings,
  },
}

/** The whole file. */
export const fileSettings: GroupSetting = {
  type: 'group',
  doc: 'portico.jsonc: everything that Portico serves.',
  fields: {
    $schema: { type: 'text', doc: 'JSON Schema for completion in editors.' },
    address: {
      type: 'list',
      doc: 'Where A and AAAA records of hosts point: the public addresses of this machine.',
      of: { type: 'text', doc: 'IPv4 or IPv6 address.', example: '203.0.113.10' },
      single: true,
      max: 32,
      example: ['203.0.113.10'],
    },
    contact: {
      type: 'text',
      doc: 'Mail address of whoever looks after the domain: in the SOA record, and for the certificate authority.',
      // The local part becomes one label of a name (RFC 1035 §8): 63 octets at most.
      form: {
        pattern: "^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~\\-]{1,63}@[^@\\s]+$",
        say: 'a mail address',
      },
      example: 'admin@example.com',
    },
    domains: {
      type: 'map',
      doc: 'The domains that are served.',
      keys: 'domain name',
      of: domain,
      example: { 'example.com': { hosts: { www: { service: 8081 } } } },
    },
    keys: keySettings,
    certificates: certificateSettings,
    dns: mannerSettings,
    pools: poolSettings,
    places: placeSettings,
    listen,
    state: {
      type: 'text',
      doc: 'Folder for what must survive a restart: keys, certificates, serials. One running Portico at a time has it.',
      initial: './state',
    },
    workers: {
      type: 'integer',
      doc: 'Threads that serve DNS and HTTP. One a core when absent, with --dev one. A change is used at the next start.',
      min: 1,
      max: 63,
      unit: 'threads',
      source: 'nginx, HAProxy and Knot start one a core',
    },
    trust: {
      type: 'list',
      doc: 'Networks of proxies in front of Portico whose Forwarded and X-Forwarded-* fields are believed.',
      of: { type: 'text', doc: 'Address or network (CIDR).', example: '10.0.0.0/8' },
      initial: [],
      max: 256,
    },
    limits: {
      type: 'group',
      doc: 'Bounds on what peers may ask for.',
      fields: {
        http: httpLimitSettings,
        dns: dnsSettings,
        client: clientLimitSettings,
        memory: memorySetting,
      },
    },
    cache: cacheStoreSettings,
    log: {
      type: 'group',
      doc: 'Where Portico says what happened.',
      fields: {
        access: accessLogSetting,
        console: {
          type: 'choice',
          doc: 'What goes to the terminal.',
          values: ['readable', 'json', 'off'],
          initial: 'readable',
        },
      },
    },
    metrics: metricsSettings,
    requestId: requestIdSettings,
    traces: tracesSettings,
  },
  required: ['domains'],
}
