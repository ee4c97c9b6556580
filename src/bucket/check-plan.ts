import type { Position, Problem } from '#core/problem.ts'
import type { BucketConfig } from './config.ts'
import { SECRET_FAULTS, type SecretFact } from './plan.ts'

/** A bucket of the file. */
export type CheckedBucket = {
  readonly bucket: BucketConfig
  /** what the files of secrets are like; absent: nobody has looked */
  readonly secrets: readonly SecretFact[] | undefined
  /** position of a part of the option */
  readonly at: (...option: readonly string[]) => Position
}

/** What the settings table cannot tell of a bucket. */
export function checkBucket({ bucket, secrets, at }: CheckedBucket): Problem[] {
  if (typeof bucket === 'string') return []
  const { keys = {}, read = 'anyone', write } = bucket
  const ids = Object.keys(keys)
  const problems: Problem[] = []
  for (const [option, wanted] of Object.entries({ read, write })) {
    if (wanted !== 'keys' || ids.length > 0) continue
    const message = `"${option}" is "keys", and the bucket has none: nobody could ${option}.`
    const fix = '"keys": { "site": { "secret": "./site.secret" } }'
    problems.push({ level: 'error', code: 'bucket/no-keys', at: at(option), message, fix })
  }
  if (ids.length > 0 && read === 'anyone' && write === 'anyone') {
    const message = 'The bucket has "keys", but anyone may read and write it without one.'
    problems.push({
      level: 'warning',
      code: 'bucket/keys-without-use',
      at: at('keys'),
      message,
      fix: 'remove "write"',
    })
  }
  const { store } = bucket
  const named = [
    ...Object.entries(keys).map(([id, { secret }]) => ({
      secret,
      of: `the key "${id}"`,
      place: ['keys', id],
    })),
    ...(store === undefined ? [] : [{ secret: store.secret, of: 'the store', place: ['store'] }]),
  ]
  for (const { secret, of, place } of named) {
    const fault = secrets?.find(({ file }) => file === secret)?.fault
    if (fault == null) continue
    const message = `The secret of ${of} cannot be used: ${secret} ${SECRET_FAULTS[fault]}.`
    const fix =
      store === undefined ? `umask 077; openssl rand -base64 30 > ${secret}` : `write it into ${secret}`
    problems.push({ level: 'error', code: 'bucket/secret-file', at: at(...place, 'secret'), message, fix })
  }
  return problems
}
