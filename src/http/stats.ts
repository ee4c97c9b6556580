/** What a server has counted since it began. */
export type HttpStats = {
  /** connections accepted; those that were open at once are counted by the server */
  accepted: number
  /** connections refused because there were too many */
  turnedAway: number
  requests: number
  /** those of them that came over HTTP/2 */
  http2Requests: number
  /** TLS handshakes by how they ended */
  readonly handshakes: { full: number; resumed: number; failed: number }
  /** responses by the first digit of their status; `[0]`: none was sent */
  readonly byClass: [number, number, number, number, number, number]
  /** all octets from clients, after TLS */
  receivedOctets: number
  /** octets of content to clients */
  sentOctets: number
}

/** Counts that all begin at zero. */
export function createStats(): HttpStats {
  return {
    accepted: 0,
    turnedAway: 0,
    requests: 0,
    http2Requests: 0,
    handshakes: { full: 0, resumed: 0, failed: 0 },
    byClass: [0, 0, 0, 0, 0, 0],
    receivedOctets: 0,
    sentOctets: 0,
  }
}
