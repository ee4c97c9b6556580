import type { Position, Problem } from '#core/problem.ts'
import type { StreamConfig } from './config.ts'

/** A host or route as far as its films are concerned. */
export type Streamed = {
  readonly stream: StreamConfig
  /** the kind that stands here or below: one that has files */
  readonly hasFilms: boolean
  /** nothing can be listed: a service answers */
  readonly isService: boolean
  /** somebody decides who is let in */
  readonly isGuarded: boolean
  /** position of the option, or of a part inside of it */
  readonly at: (...option: readonly string[]) => Position
}

/** What the settings tables cannot tell of the option `stream`. */
export function checkStream({ stream, hasFilms, isService, isGuarded, at }: Streamed): Problem[] {
  if (stream === false) return []
  const problems: Problem[] = []
  const warn = (code: string, place: Position, message: string, fix: string): void => {
    problems.push({ level: 'warning', code, at: place, message, fix })
  }
  if (!hasFilms) {
    const message =
      'There is "stream" here and no service, files or bucket: a redirect or a fixed answer has no films.'
    warn('stream/no-films', at('stream'), message, 'remove "stream"')
  }
  if (stream === true) return problems
  const { group, names, encrypt, formats, sign = {}, ts } = stream
  const isFolder = group === 'folder'
  if (isService && isFolder) {
    const message =
      'A service cannot be asked what lies in a folder: films are found by name, and by "names".'
    warn('stream/folder-of-service', at('stream', 'group'), message, '"names": ["1080.mp4", "720.mp4"]')
  }
  if (!isService && names !== undefined && hasFilms) {
    const message =
      '"names" is for services; what lies beside a film in a folder or bucket is found without it.'
    warn('stream/names-of-files', at('stream', 'names'), message, 'remove "names"')
  }
  if (encrypt !== undefined && formats?.includes('hls') === false) {
    const message =
      'Only HLS can be encrypted so, and "formats" leaves it out: nothing would be offered (RFC 8216bis §4.4.4.4).'
    problems.push({
      level: 'error',
      code: 'stream/encrypted-dash',
      at: at('stream', 'encrypt'),
      message,
      fix: 'remove "encrypt"',
    })
  } else if (encrypt !== undefined && !isGuarded && Object.keys(sign).length === 0) {
    const message =
      'Films are encrypted, and everyone may ask for their keys: put "sign" or "access" before them.'
    warn('stream/key-for-everyone', at('stream', 'encrypt'), message, '"sign": { "site": "./stream.secret" }')
  }
  if (ts === true && formats?.includes('hls') === false) {
    const message = 'MPEG-TS is for HLS, which "formats" leaves out.'
    warn('stream/ts-without-hls', at('stream', 'ts'), message, '"formats": ["hls", "dash"]')
  }
  return problems
}
