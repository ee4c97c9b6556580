import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from 'node:crypto'
import { mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '#core/log.ts'
import { newKey } from '#core/new-key.ts'
import { readIfThere, writeOnce } from '#core/state-file.ts'
import type { Issued } from './issuer.ts'
import type { CertificatePlan } from './plan.ts'
import {
  authorityExtensions,
  encodeCertificate,
  encodeName,
  keyIdentifier,
  serverExtensions,
  subjectOf,
  toPem,
} from './wire/certificate.ts'

const HOUR = 3_600_000
const ROOT_LIFETIME = 3650 * 24 * HOUR
// Clients whose clock is slow by less than this accept a new certificate.
const BACK_DATED = HOUR
// It need not say anything (RFC 5280 §4.2.1.6), but kdig takes no certificate whose subject is empty.
const LEAF_SUBJECT = encodeName('Portico local certificate')

/** The certificate that clients have to trust. */
export type Root = {
  readonly path: string
  readonly name: string
  readonly pem: string
  /** SHA-256 of the certificate, `AB:CD:…` */
  readonly fingerprint: string
  readonly notAfter: number
}

/** An `Issuer` that never answers null, because it issues at once. */
export type Authority = {
  readonly root: Root
  issue(certificate: CertificatePlan, now: number, lifetimeMs: number): Issued
}

export type AuthorityOptions = {
  /** where `root.key` and `root.pem` are kept; made when missing */
  readonly folder: string
  /** name of this machine, part of the root's name */
  readonly host: string
  /** milliseconds since 1970 */
  readonly now: number
  readonly log: Log
}

/**
 * Open the local authority, or make it when the folder has none.
 *
 * The root carries no name constraints (RFC 5280 §4.2.1.10): a host that is added to the file later would need
 * another root, and everyone would have to trust again. What protects it is that its key never leaves the folder.
 *
 * @throws {Error} when the two files cannot be read, do not belong together, or the root has ended
 */
export async function openAuthority(options: AuthorityOptions): Promise<Authority> {
  const { folder, host, now, log } = options
  const keyPath = join(folder, 'root.key')
  const path = join(folder, 'root.pem')
  await mkdir(folder, { recursive: true })
  if ((await readIfThere(keyPath)) === null) {
    if ((await readIfThere(path)) !== null)
      throw new Error(`${keyPath} is missing, and ${path} is useless without it. ${FIX}`)
    await writeOnce(keyPath, newKey(), 0o600)
  }
  // Read back what stands there: another process may have been first.
  const key = readKey(keyPath, await readIfThere(keyPath))
  if ((await readIfThere(path)) === null) {
    await writeOnce(path, signRoot(key, host, now), 0o644)
    log('info', 'authority made', { path })
  }
  const certificate = readRoot(path, await readIfThere(path), key)
  if (certificate.validToDate.getTime() <= now) {
    throw new Error(`${path} ended on ${certificate.validToDate.toISOString()}. ${FIX}`)
  }
  const { mode } = await stat(keyPath)
  if ((mode & 0o077) !== 0) {
    log('warning', 'authority key can be read by others', { path: keyPath, mode: (mode & 0o777).toString(8) })
  }
  return createAuthority(path, certificate, key)
}

const FIX =
  'Fix: restore root.key and root.pem from a backup, or remove both: a new authority is made, which clients have to trust again.'

function createAuthority(path: string, certificate: X509Certificate, key: KeyObject): Authority {
  const issuer = subjectOf(certificate.raw)
  const issuerKey = publicKeyOf(key)
  const notAfterRoot = certificate.validToDate.getTime()
  const name = /^CN=(.+)$/m.exec(certificate.subject)?.[1] ?? certificate.subject
  const root = {
    path,
    name,
    pem: certificate.toString(),
    fingerprint: certificate.fingerprint256,
    notAfter: notAfterRoot,
  }

  function issue({ names }: CertificatePlan, now: number, lifetimeMs: number): Issued {
    const pair = generateKeyPairSync('ec', {
      namedCurve: 'P-256',
      publicKeyEncoding: { type: 'spki', format: 'der' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    })
    const notBefore = now - BACK_DATED
    const notAfter = Math.min(now + lifetimeMs, notAfterRoot)
    const content = {
      serial: randomBytes(16),
      issuer,
      subject: LEAF_SUBJECT,
      notBefore,
      notAfter,
      publicKey: pair.publicKey,
      extensions: serverExtensions(names, pair.publicKey, issuerKey),
    }
    const chain = toPem(encodeCertificate(content, (signed) => sign('sha256', signed, key)))
    const renewAt = now + ((notAfter - now) * 2) / 3
    return { key: pair.privateKey, chain, issuer: name, notBefore, notAfter, renewAt }
  }

  return { root, issue }
}

function signRoot(key: KeyObject, host: string, now: number): string {
  const publicKey = publicKeyOf(key)
  const date = new Date(now).toISOString().slice(0, 10)
  // Certificate stores tell roots apart by subject: the key's name makes two of one day different.
  const subject = encodeName(
    `Portico local authority ${host.slice(0, 29)} ${date}`,
    keyIdentifier(publicKey).toString('hex'),
  )
  const content = {
    serial: randomBytes(16),
    issuer: subject,
    subject,
    notBefore: now - BACK_DATED,
    notAfter: now + ROOT_LIFETIME,
    publicKey,
    extensions: authorityExtensions(publicKey),
  }
  return toPem(encodeCertificate(content, (signed) => sign('sha256', signed, key)))
}

function readKey(path: string, pem: string | null): KeyObject {
  const key = attempt(() => createPrivateKey(pem ?? ''))
  if (key === null) throw new Error(`${path} does not hold a private key in PEM. ${FIX}`)
  const curve = key.asymmetricKeyDetails?.namedCurve
  if (curve !== 'prime256v1') {
    throw new Error(`${path} holds a key of type ${key.asymmetricKeyType}; one of P-256 is wanted. ${FIX}`)
  }
  return key
}

function readRoot(path: string, pem: string | null, key: KeyObject): X509Certificate {
  const certificate = attempt(() => new X509Certificate(pem ?? ''))
  if (certificate === null) throw new Error(`${path} does not hold a certificate in PEM. ${FIX}`)
  if (!certificate.checkPrivateKey(key)) {
    throw new Error(`${path} and root.key do not belong together: the certificate is for another key. ${FIX}`)
  }
  // Leaves name the issuer's key as Portico does: a root made elsewhere would name it otherwise.
  if (!certificate.ca || !certificate.raw.includes(keyIdentifier(publicKeyOf(key)))) {
    throw new Error(`${path} is not the certificate of an authority that Portico made. ${FIX}`)
  }
  return certificate
}

function publicKeyOf(key: KeyObject): Buffer {
  return createPublicKey(key).export({ type: 'spki', format: 'der' })
}

function attempt<T>(read: () => T): T | null {
  try {
    return read()
  } catch {
    return null
  }
}
