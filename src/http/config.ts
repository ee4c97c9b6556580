import type { GroupSetting } from '#core/settings.ts'
import type { HttpLimits } from './plan.ts'

/** What clients and origins may use up. Sizes are written with units, as in `"32KiB"`, times as in `"10s"`. */
export const httpLimitSettings: GroupSetting = {
  type: 'group',
  doc: 'What one client or origin may use up over HTTP.',
  fields: {
    header: {
      type: 'size',
      doc: 'Largest head of a request or response: start line and fields. A larger request is answered with 431.',
      initial: 32_768,
      min: 1024,
      max: 1_048_576,
      source: 'nginx accepts 4 × 8 KiB, browsers send up to 16 KiB of cookies (RFC 6265 §6.1: 4 KiB each)',
    },
    headerFields: {
      type: 'integer',
      doc: 'Most fields in a head. A request with more is answered with 431.',
      unit: 'fields',
      initial: 128,
      min: 16,
      max: 10_000,
      source: 'Apache and HAProxy accept about 100',
    },
    target: {
      type: 'size',
      doc: 'Longest request target: path and query. A longer one is answered with 414.',
      initial: 8192,
      min: 256,
      max: 65_536,
      source: 'RFC 9112 §3 asks for at least 8000 octets',
    },
    body: {
      type: 'size',
      doc: 'Largest content of a request. A larger one is answered with 413.',
      initial: 2 ** 34,
      min: 0,
      max: 2 ** 44,
      source: 'a long video in one upload',
    },
    headerTimeout: {
      type: 'duration',
      doc: 'Time for a head, from its first octet to its last. After it the answer is 408.',
      initial: 10_000,
      min: 100,
      max: 600_000,
      source: 'Apache waits 20s to 40s; slow heads are an attack more often than a slow line',
    },
    idleTimeout: {
      type: 'duration',
      doc: 'Time that a connection stays open without a request.',
      initial: 75_000,
      min: 100,
      max: 86_400_000,
      source: 'nginx waits 75s, and browsers keep connections for longer',
    },
    bodyTimeout: {
      type: 'duration',
      doc: 'Time without progress, when a client neither sends content that is waited for nor takes the response.',
      initial: 60_000,
      min: 100,
      max: 3_600_000,
      source: 'nginx waits 60s',
    },
    connectTimeout: {
      type: 'duration',
      doc: 'Time for a connection to an origin.',
      initial: 5000,
      min: 10,
      max: 600_000,
      source: 'two retransmits of the SYN: 1s and 2s later (RFC 6298 §2)',
    },
    answerTimeout: {
      type: 'duration',
      doc: 'Time until the origin sends the head of its response, and between parts of its content.',
      initial: 60_000,
      min: 10,
      max: 86_400_000,
      source: 'nginx waits 60s',
    },
    connections: {
      type: 'integer',
      doc: 'Most connections of clients at a time, shared out evenly to the workers. More are closed at once.',
      unit: 'connections',
      initial: 16_384,
      min: 1,
      max: 1_000_000,
      source: 'less than 100 MiB when all are idle',
    },
    originConnections: {
      type: 'integer',
      doc: 'Most connections to one origin at a time, or requests where it speaks HTTP/2, shared out to the workers: each may have one at least. Requests beyond wait for a free one.',
      unit: 'connections',
      initial: 256,
      min: 1,
      max: 65_535,
      source:
        'a local origin has about 28 000 ports to be called from, and few serve more requests at a time',
    },
    http2Streams: {
      type: 'integer',
      doc: 'Most requests at a time on one connection of HTTP/2. More are refused, and the client may send them again.',
      unit: 'streams',
      initial: 128,
      min: 1,
      max: 1024,
      source: 'RFC 9113 §6.5.2 asks for at least 100; nginx allows 128',
    },
    http2Resets: {
      type: 'integer',
      doc: 'How many requests on one connection of HTTP/2 a client may break off each second, and twice as many at once. Beyond, the connection is closed.',
      unit: 'requests a second',
      initial: 100,
      min: 1,
      max: 100_000,
      source: 'a page that is left takes its pictures with it; the rapid reset attack sends thousands',
    },
    http2Control: {
      type: 'integer',
      doc: 'How many frames without content, such as PING and SETTINGS, a client may send each second on one connection of HTTP/2, and twice as many at once. Requests and responses allow for more.',
      unit: 'frames a second',
      initial: 1000,
      min: 50,
      max: 1_000_000,
      source: 'a fast download brings one WINDOW_UPDATE for some 32 KiB',
    },
    drain: {
      type: 'duration',
      doc: 'Time for requests under way to finish when Portico stops or retires a listener.',
      initial: 30_000,
      min: 0,
      max: 86_400_000,
      source: 'supervisors stop programs after 30s to 90s',
    },
  },
}

/** The group as it is read: octets, milliseconds and counts under the names of the table. */
export type HttpLimitsConfig = { readonly [name in LimitName]?: number | undefined }

type LimitName =
  | 'header'
  | 'headerFields'
  | 'target'
  | 'body'
  | 'headerTimeout'
  | 'idleTimeout'
  | 'bodyTimeout'
  | 'connectTimeout'
  | 'answerTimeout'
  | 'connections'
  | 'originConnections'
  | 'http2Streams'
  | 'http2Resets'
  | 'http2Control'
  | 'drain'

/**
 * The limits that follow from what was written; what was not written has the default of the table.
 *
 * @example httpLimits({ header: 65536 }).headerOctets // 65536
 */
export function httpLimits(config: HttpLimitsConfig = {}): HttpLimits {
  return {
    headerOctets: limit('header'),
    headerCount: limit('headerFields'),
    targetOctets: limit('target'),
    bodyOctets: limit('body'),
    headerTimeoutMs: limit('headerTimeout'),
    idleTimeoutMs: limit('idleTimeout'),
    bodyTimeoutMs: limit('bodyTimeout'),
    connectTimeoutMs: limit('connectTimeout'),
    answerTimeoutMs: limit('answerTimeout'),
    connections: limit('connections'),
    originConnections: limit('originConnections'),
    http2Streams: limit('http2Streams'),
    http2Resets: limit('http2Resets'),
    http2Control: limit('http2Control'),
    drainMs: limit('drain'),
  }

  function limit(name: LimitName): number {
    const written = config[name]
    if (written !== undefined) return written
    const setting = httpLimitSettings.fields[name]
    return setting !== undefined && 'initial' in setting ? Number(setting.initial) : 0
  }
}
