import type { Fault } from './fault.ts'

/** Faults of `live`. */
export const liveFaults: readonly Fault[] = [
  {
    code: 'live/key-file',
    why: 'Encoders say what stands in the file: without it nobody can.',
    hosts: '"a": { "live": { "root": "./live", "key": "./missing.secret" } }',
    where: '"key"',
  },
  {
    code: 'live/long-parts',
    level: 'warning',
    why: 'Low latency is that parts come before their segment is whole.',
    source: 'RFC 8216bis §4.4.3.7',
    hosts: '"a": { "live": { "root": "./live", "segment": "1s", "part": "800ms" } }',
    where: '"part"',
  },
  {
    code: 'live/short-window',
    level: 'warning',
    why: 'Players begin three segments before the end.',
    source: 'RFC 8216bis §6.2.2',
    hosts: '"a": { "live": { "root": "./live", "segment": "10s", "window": "20s" } }',
    where: '"window"',
  },
  {
    code: 'live/source-name',
    why: 'The name of a stream is the path that it is played at.',
    hosts: '"a": { "live": { "root": "./live", "sources": { "my camera": "rtsp://192.0.2.7/stream" } } }',
    where: '"my camera"',
  },
]
