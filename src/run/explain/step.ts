import type { Position } from '#core/problem.ts'

/** One decision on the way of a request, in the words of the function that takes it. */
export type Step = {
  readonly step:
    | 'zone'
    | 'record'
    | 'dnssec'
    | 'pool'
    | 'listener'
    | 'client'
    | 'certificate'
    | 'redirect'
    | 'route'
    | 'limits'
    | 'access'
    | 'request'
    | 'cache'
    | 'origin'
    | 'file'
    | 'bucket'
    | 'upload'
    | 'live'
    | 'stream'
    | 'transfer'
    | 'delivery'
    | 'response'
    | 'identity'
    | 'trace'
    | 'log'
  /** what comes of it */
  readonly says: string
  readonly reason: string
  /** the place in the file that it follows from */
  readonly at: Position | null
  /** the way ends here, or not as the file's owner would want */
  readonly isFault: boolean
}

/** A decision as the file's owner would want it. */
export function step(name: Step['step'], says: string, reason: string, at: Position | null): Step {
  return { step: name, says, reason, at, isFault: false }
}

/** A decision that ends the way, or is a fault. */
export function fault(name: Step['step'], says: string, reason: string, at: Position | null): Step {
  return { step: name, says, reason, at, isFault: true }
}
