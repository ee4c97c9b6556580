import type { Fault } from './fault.ts'

/** Faults of `stream`. */
export const streamFaults: readonly Fault[] = [
  {
    code: 'stream/no-films',
    level: 'warning',
    why: 'Films are files: only what has files can stream them.',
    hosts: '"a": { "redirect": "https://example.com", "stream": true }',
    where: '"stream"',
  },
  {
    code: 'stream/folder-of-service',
    level: 'warning',
    why: 'Nobody can ask a service which files there are.',
    hosts: '"a": { "service": 8081, "stream": { "group": "folder" } }',
    where: '"group"',
  },
  {
    code: 'stream/names-of-files',
    level: 'warning',
    why: 'In a folder the files of a film are found by looking.',
    hosts: '"a": { "files": "./films", "stream": { "names": ["720.mp4"] } }',
    where: '"names"',
  },
  {
    code: 'stream/encrypted-dash',
    why: 'DASH has no encryption of whole segments, and beside it HLS is left out: nothing remains.',
    source: 'RFC 8216bis §4.4.4.4',
    hosts: '"a": { "files": "./films", "stream": { "formats": "dash", "encrypt": "./film.secret" } }',
    where: '"encrypt"',
  },
  {
    code: 'stream/key-for-everyone',
    level: 'warning',
    why: 'Encryption keeps nobody out who gets the key.',
    hosts: '"a": { "files": "./films", "stream": { "encrypt": "./film.secret" } }',
    where: '"encrypt"',
  },
  {
    code: 'stream/secret-file',
    why: 'Without its secret nobody can be let in.',
    hosts: '"a": { "files": "./films", "stream": { "sign": { "site": "./missing.secret" } } }',
    where: '"site"',
  },
  {
    code: 'stream/ts-without-hls',
    level: 'warning',
    why: 'Segments of MPEG-TS stand in playlists of HLS alone.',
    hosts: '"a": { "files": "./films", "stream": { "formats": "dash", "ts": true } }',
    where: '"ts"',
  },
]
