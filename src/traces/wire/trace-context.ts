/** Where a request stands in a trace (Trace Context level 2, 3.2). */
export type TraceParent = {
  /** 32 hexadecimal digits, not all 0 */
  readonly traceId: string
  /** 16 hexadecimal digits, not all 0: the span of who sent the request */
  readonly parentId: string
  /** `SAMPLED` and `RANDOM`; others mean nothing yet */
  readonly flags: number
}

/** The trace that a request belonged to before it came here; `state` is empty when there is none. */
export type Incoming = { readonly parent: TraceParent | undefined; readonly state: string }

/** The flag that who sent a request may have recorded its span. */
export const SAMPLED = 0x01
/** The flag that a trace id ends with 56 random bits. */
export const RANDOM = 0x02

// 3.2.2: version 00 has exactly these; later ones may go on behind another dash. Upper case is an error.
const FORM = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/

/**
 * Read a traceparent field (Trace Context level 2, 3.2.2 and 4.3).
 *
 * @param values of all its field lines: two of them say nothing
 * @returns undefined when a new trace must begin
 * @example parseTraceparent(['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'])
 */
export function parseTraceparent(values: readonly string[]): TraceParent | undefined {
  if (values.length !== 1) return undefined
  const [, version, traceId = '', parentId = '', flags = '', more] = FORM.exec(values[0]!) ?? []
  if (version === undefined || version === 'ff' || (version === '00' && more !== undefined)) return undefined
  if (/^0+$/.test(traceId) || /^0+$/.test(parentId)) return undefined
  return { traceId, parentId, flags: Number.parseInt(flags, 16) & (SAMPLED | RANDOM) }
}

/** Write a traceparent field of version 00. */
export function printTraceparent({ traceId, parentId, flags }: TraceParent): string {
  return `00-${traceId}-${parentId}-${flags.toString(16).padStart(2, '0')}`
}

const SIMPLE_KEY = '[a-z][a-z0-9_\\-*/]{0,255}'
const TENANT_KEY = '[a-z0-9][a-z0-9_\\-*/]{0,240}@[a-z][a-z0-9_\\-*/]{0,13}'
// 3.3.1.3.2: printable ASCII without comma and equals sign, not ending with a space.
const MEMBER = new RegExp(`^(${SIMPLE_KEY}|${TENANT_KEY})=([ -+\\--<>-~]{0,255}[!-+\\--<>-~])$`)

/** 3.3.1.1 */
const LIMIT_MEMBERS = 32

/**
 * Read a tracestate field (Trace Context level 2, 3.3.1).
 *
 * @param values of all its field lines
 * @returns the members of all lines as one; empty when there are none, or one is not to be read: then all count for nothing
 */
export function parseTracestate(values: readonly string[]): string {
  const members = values
    .flatMap((value) => value.split(','))
    .map((member) => member.replace(/^[ \t]+|[ \t]+$/g, ''))
    .filter((member) => member !== '')
  const keys = new Set(members.map((member) => MEMBER.exec(member)?.[1]))
  const isReadable = keys.size === members.length && !keys.has(undefined) && keys.size <= LIMIT_MEMBERS
  return isReadable ? members.join(',') : ''
}
