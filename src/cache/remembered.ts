import type { Cache } from './cache.ts'

/** What is remembered of the responses under a key: the last one was not kept, was too large to keep, came whole. */
export type Remembered = 'not kept' | 'too large' | 'no slices'

/** For how long. What was too large cost a fill, and who had joined it a second request. */
const FOR_MS: Readonly<Record<Remembered, number>> = {
  'not kept': 120_000,
  'too large': 3_600_000,
  'no slices': 120_000,
}
const LIMIT = 10_000

/** Remember something of a key, on this worker. */
export function remember({ remembered, now }: Cache, key: string, what: Remembered): void {
  if (remembered.size >= LIMIT) remembered.clear()
  remembered.set(`${what} ${key}`, now() + FOR_MS[what])
}

/** Whether it is remembered still. */
export function isRemembered({ remembered, now }: Cache, key: string, what: Remembered): boolean {
  if (remembered.size === 0) return false
  const until = remembered.get(`${what} ${key}`)
  if (until === undefined) return false
  if (now() < until) return true
  remembered.delete(`${what} ${key}`)
  return false
}

/** A response under this key was kept. */
export function forget({ remembered }: Cache, key: string): void {
  if (remembered.size > 0) remembered.delete(`not kept ${key}`)
}
