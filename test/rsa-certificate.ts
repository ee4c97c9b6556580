import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { emptyName, encodeCertificate, encodeName, serverExtensions, toPem } from '#tls/wire/certificate.ts'

const DAY = 86_400_000

/** A certificate (PEM) with a key of RSA, from nobody whom anyone trusts. */
export function rsaCertificate(names: readonly string[]): { key: string; chain: string } {
  const leaf = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const signer = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const publicKey = leaf.publicKey.export({ type: 'spki', format: 'der' })
  const content = {
    serial: randomBytes(16),
    issuer: encodeName('nobody', '1'),
    subject: emptyName,
    notBefore: Date.now() - DAY,
    notAfter: Date.now() + DAY,
    publicKey,
    extensions: serverExtensions(names, publicKey, signer.publicKey.export({ type: 'spki', format: 'der' })),
  }
  const chain = toPem(encodeCertificate(content, (signed) => sign('sha256', signed, signer.privateKey)))
  return { key: leaf.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), chain }
}
