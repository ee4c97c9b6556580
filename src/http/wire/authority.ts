/** Who a request is for: `host` or `host:port`, and the host alone. */
export type Authority = {
  /** lower case, an empty port left out */
  readonly authority: string
  /** lower case, no port, no trailing dot, brackets kept for IPv6 */
  readonly host: string
}

/**
 * Read `host` or `host:port` (RFC 9110 §7.2, RFC 3986 §3.2).
 *
 * Stricter than the grammar: userinfo is refused as RFC 9110 §4.2.4 asks, and so are the characters that no host name
 * has ("%" and sub-delims such as the comma), which programs read in different ways.
 *
 * @returns undefined when the text is no authority, or has an empty host
 */
export function parseAuthority(text: string): Authority | undefined {
  const match = AUTHORITY.exec(text)
  if (match === null) return undefined
  const port = match[2]
  // Shorter ones are smaller, and numbers are slow to read.
  if (port?.length === 5 && Number(port) > 65535) return undefined
  const host = match[1]!.toLowerCase()
  return {
    authority: port ? `${host}:${port}` : host,
    host: host.endsWith('.') ? host.slice(0, -1) : host,
  }
}

const AUTHORITY = /^((?!\.)[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]{2,45}\])(?::([0-9]{0,5}))?$/
