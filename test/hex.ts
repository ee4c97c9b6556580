/** Octets as hexadecimal digits, in lower case. */
export function hex(octets: Uint8Array): string {
  return Buffer.from(octets).toString('hex')
}

/** Octets of hexadecimal digits, which spaces may set apart. */
export function octetsOf(digits: string): Uint8Array {
  return Uint8Array.from(Buffer.from(digits.replaceAll(' ', ''), 'hex'))
}
