import type { KeptState } from '#acme/keeper.ts'
import type { Front } from './front.ts'

/** How a certificate is doing, for `portico certs`; times in ISO 8601. */
export type CertificateRow = {
  readonly id: string
  readonly names: readonly string[]
  /** who signed the one in use */
  readonly issuer: string
  /** null where it is issued in the handshake */
  readonly notAfter: string | null
  /** in words */
  readonly next: string
  readonly nextAt: string | null
  /** what went wrong last, and what to do about it */
  readonly failure: { readonly at: string; readonly message: string; readonly fix: string } | null
}

/** A row for each certificate of the Plan, in its order. */
export function certificateRows({ plan, keeper, authority }: Front): CertificateRow[] {
  const states = new Map(keeper.states().map((state) => [state.id, state]))
  return plan.tls.certificates.map(({ id, names, files }) => {
    const state = states.get(id)
    const standIn = authority.root.name
    if (files !== undefined) {
      const next = 'read again when its files change'
      return { id, names, issuer: files.cert, notAfter: null, next, nextAt: null, failure: null }
    }
    if (state === undefined) {
      const next = 'issued when a client first asks for it, and renewed by itself'
      return { id, names, issuer: standIn, notAfter: null, next, nextAt: null, failure: null }
    }
    const { failure, notAfter } = state
    return {
      id,
      names,
      issuer: state.issuer ?? `${standIn}, standing in`,
      notAfter: notAfter === null ? null : new Date(notAfter).toISOString(),
      next: nextOf(state),
      nextAt: state.nextAt === null ? null : new Date(state.nextAt).toISOString(),
      failure:
        failure === null
          ? null
          : { at: new Date(failure.at).toISOString(), message: failure.message, fix: failure.fix },
    }
  })
}

function nextOf({ doing, nextAt, issuer, failure }: KeptState): string {
  if (doing === 'ordering') return 'ordered now'
  const at = nextAt === null ? '' : ` at ${new Date(nextAt).toISOString().slice(0, 16).replace('T', ' ')} UTC`
  if (failure !== null) return `tried again${at}`
  return issuer === null ? 'waits for its turn' : `renewed${at}`
}
