import { getServers } from 'node:dns'
import { isIP } from 'node:net'
import type { Asked } from '#dns/ask.ts'

/** Where name servers and resolvers listen. */
export const DNS_PORT = 53

/**
 * Read the resolver that a person names.
 *
 * @param written such as `9.9.9.9`, `127.0.0.1:5353` or `[2620:fe::fe]:53`
 */
export function parseResolver(written: string): Asked | undefined {
  const [, inner, bare, port = String(DNS_PORT)] =
    /^(?:\[([^\]]+)\]|([^:]+|[0-9a-f:]+:[0-9a-f:]*))(?::(\d{1,5}))?$/i.exec(written) ?? []
  if (isIP(written) !== 0) return { address: written, port: DNS_PORT }
  const address = inner ?? bare ?? ''
  return isIP(address) === 0 || Number(port) > 65_535 ? undefined : { address, port: Number(port) }
}

/** The first resolver that the system names. */
export function systemResolver(): Asked | undefined {
  const [first] = getServers()
  return first === undefined ? undefined : parseResolver(first)
}
