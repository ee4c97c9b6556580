import { generateKeyPairSync } from 'node:crypto'

/** @returns a new private key on P-256, as PEM (PKCS #8) */
export function newKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}
