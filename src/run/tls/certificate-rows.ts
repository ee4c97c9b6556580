import type { KeptState } from '#acme/kept-state.ts'
import type { Front } from '#run/front.ts'

/** How a certificate is doing, for `portico certs`; times in ISO 8601. */
export type CertificateRow = {
  readonly id: string
  readonly names: readonly string[]
  /** null where it is not said */
  readonly keyType: 'ecdsa' | 'rsa' | null
  /** who signed the one in use */
  readonly issuer: string
  /** null where it is issued in the handshake */
  readonly notAfter: string | null
  /** milliseconds from its order to it; null where nobody ordered it */
  readonly tookMs: number | null
  /** in words */
  readonly next: string
  readonly nextAt: string | null
  /** what went wrong last, and what to do about it */
  readonly failure: { readonly at: string; readonly message: string; readonly fix: string } | null
}

/** A row for each certificate: those of authorities first, also what was granted on demand. */
export function certificateRows({ plan, keeper, authority }: Front): CertificateRow[] {
  const standIn = authority.root.name
  const ordered = keeper.states().map((state) => rowOf(state, standIn))
  const others = plan.tls.certificates.filter(({ issuer }) => issuer !== 'acme')
  return [
    ...ordered,
    ...others.map(({ id, names, files }) => {
      const [issuer, next] =
        files === undefined
          ? [standIn, 'issued when a client first asks for it, and renewed by itself']
          : [files.cert, 'read again when its files change']
      return {
        id,
        names,
        keyType: null,
        issuer,
        notAfter: null,
        tookMs: null,
        next,
        nextAt: null,
        failure: null,
      }
    }),
  ]
}

function rowOf(state: KeptState, standIn: string): CertificateRow {
  const { id, names, keyType, issuer, notAfter, tookMs, nextAt, failure } = state
  return {
    id,
    names,
    keyType,
    issuer: issuer ?? `${standIn}, standing in`,
    notAfter: timeOf(notAfter),
    tookMs,
    next: nextOf(state),
    nextAt: timeOf(nextAt),
    failure: failure && { at: timeOf(failure.at), message: failure.message, fix: failure.fix },
  }
}

function timeOf<At extends number | null>(at: At): At extends number ? string : string | null
function timeOf(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString()
}

function nextOf({ doing, nextAt, issuer, failure }: KeptState): string {
  if (doing === 'ordering') return 'ordered now'
  const at = nextAt === null ? '' : ` at ${new Date(nextAt).toISOString().slice(0, 16).replace('T', ' ')} UTC`
  if (failure !== null) return `tried again${at}`
  return issuer === null ? 'waits for its turn' : `renewed${at}`
}
