import type { Exchange, ResponseHead } from '#http/exchange.ts'
import type { Page } from '#http/wire/page.ts'

/** What one check says of a request. */
export type Verdict = Admitted | Refused

/** The request may go on, with these fields about who asks. */
export type Admitted = {
  readonly isAdmitted: true
  readonly fields: readonly (readonly [name: string, value: string])[]
}

/** The request may not go on; what its client gets instead. */
export type Refused = {
  readonly isAdmitted: false
  readonly reason: string
  readonly answer: Page | { readonly head: ResponseHead; readonly body: Buffer }
}

/** One thing that must hold. */
export type Check = (exchange: Exchange, client: string | null) => Verdict | Promise<Verdict>

/** Nothing is added to the request. */
export const admitted: Admitted = { isAdmitted: true, fields: [] }

/** What a client gets that has to sign in: 401 carries every challenge that it may meet (RFC 9110 §11.6.1). */
export function unauthorized(challenges: readonly string[], reason: string): Refused {
  const fields = challenges.map((challenge) => ['WWW-Authenticate', challenge] as const)
  const detail = 'Whoever asks for this has to sign in.'
  return { isAdmitted: false, reason, answer: { status: 401, detail, fault: 'client', fields } }
}

/** For when one cannot find out: the client may try again. */
export function unavailable(detail: string, reason: string): Refused {
  const fields = [['Retry-After', '2']] as const
  return { isAdmitted: false, reason, answer: { status: 503, detail, fault: 'portico', fields } }
}
