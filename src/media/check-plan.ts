import { SECRET_FAULTS, type SecretFact } from '#bucket/plan.ts'
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
  /** what the files of secrets are like; absent: nobody has looked */
  readonly secrets: readonly SecretFact[] | undefined
  /** position of the option, or of a part inside of it */
  readonly at: (...option: readonly string[]) => Position
}

/** What the settings tables cannot tell of the option `stream`. */
export function checkStream({ stream, hasFilms, isService, isGuarded, secrets, at }: Streamed): Problem[] {
  if (stream === false) return []
  const problems: Problem[] = []
  const level = 'warning'
  if (!hasFilms) {
    const message =
      'There is "stream" here and no service, files or bucket: a redirect or a fixed answer has no films.'
    problems.push({ level, code: 'stream/no-films', at: at('stream'), message, fix: 'remove "stream"' })
  }
  if (stream === true) return problems
  const { group, names, formats, sign = {}, ts } = stream
  const encrypt = typeof stream.encrypt === 'string' ? { secret: stream.encrypt } : stream.encrypt
  const hasHls = formats?.includes('hls') !== false
  if (isService && group === 'folder') {
    const message =
      'A service cannot be asked what lies in a folder: films are found by name, and by "names".'
    const fix = '"names": ["1080.mp4", "720.mp4"]'
    problems.push({ level, code: 'stream/folder-of-service', at: at('stream', 'group'), message, fix })
  }
  if (!isService && names !== undefined && hasFilms) {
    const message =
      '"names" is for services; what lies beside a film in a folder or bucket is found without it.'
    const fix = 'remove "names"'
    problems.push({ level, code: 'stream/names-of-files', at: at('stream', 'names'), message, fix })
  }
  if (encrypt !== undefined && !hasHls) {
    const message =
      'Only HLS can be encrypted so, and "formats" leaves it out: nothing would be offered (RFC 8216bis §4.4.4.4).'
    const place = at('stream', 'encrypt')
    problems.push({
      level: 'error',
      code: 'stream/encrypted-dash',
      at: place,
      message,
      fix: 'remove "encrypt"',
    })
  } else if (
    encrypt !== undefined &&
    encrypt.url === undefined &&
    !isGuarded &&
    Object.keys(sign).length === 0
  ) {
    const message =
      'Films are encrypted, and everyone may ask for their keys: put "sign" or "access" before them.'
    const fix = '"sign": { "site": "./stream.secret" }'
    problems.push({ level, code: 'stream/key-for-everyone', at: at('stream', 'encrypt'), message, fix })
  }
  if (ts === true && !hasHls) {
    const message = 'MPEG-TS is for HLS, which "formats" leaves out.'
    const fix = '"formats": ["hls", "dash"]'
    problems.push({ level, code: 'stream/ts-without-hls', at: at('stream', 'ts'), message, fix })
  }
  const files = [
    ...Object.entries(sign).map(([id, file]) => ({ file, place: ['sign', id] })),
    ...(encrypt === undefined ? [] : [{ file: encrypt.secret, place: ['encrypt'] }]),
  ]
  for (const { file, place } of files) {
    const fault = secrets?.find((secret) => secret.file === file)?.fault
    if (fault == null) continue
    const message = `The secret of "${place[0]}" cannot be used: ${file} ${SECRET_FAULTS[fault]}.`
    const fix = `umask 077; openssl rand -base64 30 > ${file}`
    problems.push({ level: 'error', code: 'stream/secret-file', at: at('stream', ...place), message, fix })
  }
  return problems
}
