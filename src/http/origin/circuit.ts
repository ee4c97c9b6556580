import type { CircuitPlan } from '../service-plan.ts'

/** What the requests of an origin have come to. */
export type Circuit = {
  /** failures in a row */
  readonly failures: number
  /** no requests before this time, in milliseconds; `-Infinity` while it is closed */
  readonly openUntil: number
}

/** Requests go through. */
export const CLOSED: Circuit = { failures: 0, openUntil: Number.NEGATIVE_INFINITY }

/** Whether requests should go elsewhere. After the pause one may try: `tried` keeps the others away meanwhile. */
export function isOpen(circuit: Circuit, now: number): boolean {
  return now < circuit.openUntil
}

/** A request is on its way to the origin. */
export function tried(circuit: Circuit, { pauseMs }: CircuitPlan, now: number): Circuit {
  const isClosed = circuit.openUntil === Number.NEGATIVE_INFINITY
  return isClosed || isOpen(circuit, now) ? circuit : { ...circuit, openUntil: now + pauseMs }
}

/** A request has come back: one that is good closes the circuit, bad ones in a row open it. */
export function judgeRequest(circuit: Circuit, isGood: boolean, plan: CircuitPlan, now: number): Circuit {
  if (isGood) return CLOSED
  const failures = circuit.failures + 1
  return { failures, openUntil: failures >= plan.failures ? now + plan.pauseMs : circuit.openUntil }
}
