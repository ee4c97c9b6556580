import type { BucketPlan, Writers } from '#bucket/plan.ts'
import type { Position } from '#core/problem.ts'
import { formatSize } from '#core/units.ts'
import { type Step, step } from './step.ts'

/** Who may read and write a bucket, and what it takes. */
export function explainBucket(plan: BucketPlan, at: Position): Step[] {
  const { store, readers, writers, keys, versions, quotaOctets, maxOctets, types } = plan
  const reads = readers === 'anyone' ? 'anyone may read' : 'reading needs a key'
  const ids = keys.length === 0 ? '' : ` (${keys.map(({ id }) => id).join(', ')})`
  const limits = [
    `objects of up to ${formatSize(maxOctets)}`,
    ...(types === null ? [] : [`of ${types.join(', ')}`]),
    ...(quotaOctets === null ? [] : [`${formatSize(quotaOctets)} in all`]),
  ]
  return [
    step('bucket', `${reads}; ${WRITERS[writers]}${ids}`, `writers: ${writers}`, at),
    step(
      'upload',
      limits.join(', '),
      versions ? 'older versions stay' : 'an object replaces the one before',
      at,
    ),
    step(
      'transfer',
      `streamed to and from ${store === null ? 'disk' : store.url} as the slower side takes it; ranges, conditional requests`,
      'bucket',
      at,
    ),
  ]
}

const WRITERS: Readonly<Record<Writers, string>> = {
  local: 'programs of this machine may write',
  admitted: 'whoever "access" lets in may write',
  keys: 'writing needs a key',
  anyone: 'anyone may write',
}
