import { createHash } from 'node:crypto'
import type { Position } from './problem.ts'

/**
 * What every node of the Plan carries.
 *
 * Equal `id` and `key` in two Plans: the running object stays as it is.
 */
export type PlanNode = {
  /** stable name, `kind:what`, such as `route:app.example.com/api/**` */
  readonly id: string
  /** hash of the node's content, positions left out */
  readonly key: string
  /** the place in the file that this node comes from */
  readonly from: Position
}

/**
 * Hash plain content (JSON) to a node's key: 96 bits, enough to tell two contents apart.
 *
 * @example contentKey({ port: 8081 }) // 'q1Zc3…'
 */
export function contentKey(content: unknown): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('base64url').slice(0, 16)
}
