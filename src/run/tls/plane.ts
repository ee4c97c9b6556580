import type { Shown } from '#acme/present.ts'
import type { Log } from '#core/log.ts'
import type { DataSlice } from '#run/slice.ts'
import { createHandshake, type Handshake } from '#tls/handshake.ts'
import type { Issued } from '#tls/issuer.ts'
import { type CertificateStore, createCertificateStore } from '#tls/store.ts'

/** What one thread shakes hands with: the certificates it has, over HTTP and over DNS. */
export type TlsPlane = {
  readonly certificates: CertificateStore
  readonly handshake: Handshake
  readonly dnsHandshake: Handshake
  setTicketKey(key: Uint8Array): void
}

export type TlsPlaneOptions = {
  /** what is served until another slice is put to use */
  readonly first: DataSlice
  /** Ask for the certificate of a node of the Plan. */
  readonly certificate: (id: string) => Promise<Issued | null>
  /** Ask for a certificate of a name that none has. */
  readonly grant: (name: string) => Promise<boolean>
  /** proofs for authorities over TLS (RFC 8737 §3) */
  readonly digests: () => Shown['digests']
  /** host that is meant by clients of DNS who send no name */
  readonly dnsName: () => string | undefined
  readonly log: Log
}

/** Create everything that the handshakes of one thread need. */
export function createTlsPlane(options: TlsPlaneOptions): TlsPlane {
  const { first, certificate, grant, digests, dnsName, log } = options
  let ticketKey = Buffer.from(first.ticketKey)
  const main = { issue: ({ id }: { readonly id: string }): Promise<Issued | null> => certificate(id) }
  const certificates = createCertificateStore({
    plan: first.tls,
    clientRoots: first.clientRoots,
    issuers: { local: main, acme: main, files: main },
    now: Date.now,
    log,
  })
  const ticketKeys = { current: () => ticketKey }
  const shared = { store: certificates, now: Date.now, log, ticketKeys, onMiss: grant }
  const handshake = createHandshake({ ...shared, protocols: ['h2', 'http/1.1'], digests })
  const dnsHandshake = createHandshake({ ...shared, nameless: dnsName, protocols: ['dot'] })
  const setTicketKey = (key: Uint8Array): void => {
    ticketKey = Buffer.from(key)
  }
  return { certificates, handshake, dnsHandshake, setTicketKey }
}
