/** A key of a zone as the threads that sign have it. A secret: it is handed over, never shown. */
export type SigningKey = {
  /** RFC 4034 Appendix B */
  readonly tag: number
  /** PKCS #8, DER in base64 */
  readonly privateKey: string
  /** whether it signs everything, or only the keys and what is told to the parent */
  readonly signsData: boolean
}

/** Keys of each signed zone by the id of the zone. */
export type ZoneKeys = ReadonlyMap<string, readonly SigningKey[]>

/** How a domain wants to be signed. */
export type DnssecPlan = {
  /** ms until every server and resolver has seen a change of the zone, beside TTLs */
  readonly propagationMs: number
  /** ms after which a new key takes over; null: only when a person says so */
  readonly lifetimeMs: number | null
  /** resolver that is asked for the DS, as `address:port`; null: the system's */
  readonly resolver: string | null
  /** by a proof for each name, or by spans from name to name */
  readonly denial?: 'compact' | 'nsec'
}
