/** Why a message is refused: the status that says so and the reason for log and page. */
export type Refusal = { readonly kind: 'refusal'; readonly status: number; readonly reason: string }

/** @param status what the peer is answered @param reason for the log and the answer, without a full stop */
export function refuse(status: number, reason: string): Refusal {
  return { kind: 'refusal', status, reason }
}

/** Whether a result is a refusal, for results that may be plain numbers or words. */
export function isRefusal(result: unknown): result is Refusal {
  return typeof result === 'object' && result !== null && (result as { kind?: unknown }).kind === 'refusal'
}
