import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { Issued } from './issuer.ts'

/** A certificate that was brought as files. */
export type Pair = {
  readonly issued: Issued
  /** A-labels in lower case; `*` may be the left-most label */
  readonly names: readonly string[]
  /** SHA-256 of the leaf, `AB:CD:…` */
  readonly fingerprint: string
  readonly keyType: 'ecdsa' | 'rsa'
}

/**
 * Read a chain and its key.
 *
 * @returns a sentence that says why they cannot be used
 */
export async function readPair(certPath: string, keyPath: string): Promise<Pair | string> {
  const chain = await textOf(certPath)
  const key = await textOf(keyPath)
  if (chain instanceof Error || key instanceof Error) {
    const [path, error] = chain instanceof Error ? [certPath, chain] : [keyPath, key as Error]
    return `${path} cannot be read: ${error.message}.`
  }
  const leaf = attempt(() => new X509Certificate(chain))
  if (leaf === null) return `${certPath} does not hold a certificate in PEM.`
  const privateKey = attempt(() => createPrivateKey(key))
  if (privateKey === null) return `${keyPath} does not hold a private key in PEM without passphrase.`
  if (!leaf.checkPrivateKey(privateKey)) return `${keyPath} is not the key of the certificate in ${certPath}.`
  const names = (leaf.subjectAltName ?? '').match(/(?<=\bDNS:)[^,\s"]+/g) ?? []
  // RFC 9525 §2: names stand in the subjectAltName and nowhere else.
  if (names.length === 0) return `${certPath} has no DNS name in its subjectAltName, so no client takes it.`
  const [notBefore, notAfter] = [leaf.validFromDate.getTime(), leaf.validToDate.getTime()]
  const issuer = /^CN=(.+)$/m.exec(leaf.issuer)?.[1] ?? leaf.issuer
  const issued = { key, chain, issuer, notBefore, notAfter, renewAt: Number.POSITIVE_INFINITY }
  const keyType = leaf.publicKey.asymmetricKeyType?.startsWith('rsa') ? 'rsa' : 'ecdsa'
  const lower = names.map((name) => name.toLowerCase())
  return { issued, names: lower, fingerprint: leaf.fingerprint256, keyType }
}

async function textOf(path: string): Promise<string | Error> {
  return readFile(path, 'utf8').catch((error: Error & { code?: string }) => {
    return error.code === 'ENOENT' ? new Error('there is no such file') : error
  })
}

function attempt<Value>(read: () => Value): Value | null {
  try {
    return read()
  } catch {
    return null
  }
}
