import type { Fault } from './fault.ts'

/** Faults of buckets, and of folders beside them. */
export const bucketFaults: readonly Fault[] = [
  {
    code: 'bucket/no-keys',
    why: 'Who needs a key must be able to have one.',
    hosts: '"a": { "bucket": { "root": "./media", "write": "keys" } }',
    where: '"write"',
  },
  {
    code: 'bucket/keys-without-use',
    level: 'warning',
    why: 'A bucket that anyone may write was hardly meant to have keys.',
    hosts:
      '"a": { "bucket": { "root": "./media", "write": "anyone", "keys": { "site": { "secret": "./site.secret" } } } }',
    where: '"keys"',
  },
  {
    code: 'bucket/secret-file',
    why: 'A key without its secret opens nothing.',
    hosts: '"a": { "bucket": { "root": "./media", "keys": { "site": { "secret": "./missing.secret" } } } }',
    where: '"secret"',
  },
  {
    code: 'bucket/in-bucket',
    why: 'A bucket tidies its folder: what it does not know is left over from an upload.',
    hosts: '"a": { "bucket": "./media" }, "b": { "bucket": "./media/uploads" }',
    where: '"bucket": "./media/uploads"',
  },
  {
    code: 'bucket/served-as-files',
    why: 'A bucket says who may read what; files are for everyone.',
    hosts: '"a": { "files": "." }, "b": { "bucket": "./media" }',
    where: '"files"',
  },
]
