import { createPrivateKey, X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import { readIfThere, replaceFile } from '#core/state-file.ts'
import type { FallBack } from './fall-back.ts'
import { fileNameOf } from './file-name.ts'
import type { KeyType } from './plan.ts'
import type { Failure, Renewal } from './renew.ts'

/** An order that was begun, safe on disk before each step. */
export type OrderUnderWay = {
  /** directory of the authority */
  readonly authority: string
  readonly names: readonly string[]
  /** PEM; made before the order, so that what is issued can always be used */
  readonly key: string
  /** null: the authority may not know of it yet */
  readonly url: string | null
}

/** Key and chain as PEM, the leaf first. */
export type Certificate = { readonly key: string; readonly chain: string }

/** What is known of one certificate beside itself. */
export type Journal = {
  readonly order: OrderUnderWay | null
  readonly failures: Readonly<Record<string, Failure>>
  /** directory of the authority that issued the one in use */
  readonly authority: string | null
  readonly renewal: Renewal | null
  readonly fallBack: FallBack | null
  /** from the order to the certificate in use */
  readonly tookMs: number | null
}

/** A certificate of an authority in use: key and chain as PEM, the leaf first. */
export type Kept = {
  readonly key: string
  readonly chain: string
  readonly leaf: X509Certificate
  readonly names: readonly string[]
  readonly keyType: KeyType
  /** milliseconds since 1970 */
  readonly notBefore: number
  readonly notAfter: number
}

/** The two files of a certificate in state: it itself, and its journal. */
export type CertificateRecord = {
  readonly kept: Kept | null
  readonly journal: Journal
  /** Change the journal; done when it is safe on disk. */
  note(change: Partial<Journal>): Promise<void>
  /** Put a new certificate in place of the one in use, in one step; the order it came from is done. */
  keep(certificate: Certificate, names: readonly string[], done: Partial<Journal>): Promise<Kept>
}

const NEW: Journal = {
  order: null,
  failures: {},
  authority: null,
  renewal: null,
  fallBack: null,
  tookMs: null,
}

/**
 * Open the files of a certificate, or begin with none.
 *
 * @param name its first name
 */
export async function openRecord(folder: string, name: string): Promise<CertificateRecord> {
  const pemPath = join(folder, `${fileNameOf(name)}.pem`)
  const journalPath = join(folder, `${fileNameOf(name)}.json`)
  const pem = await readIfThere(pemPath)
  let kept = pem === null ? null : readKept(pem)
  let journal = readJournal(await readIfThere(journalPath))
  // Killed between the two files: the certificate is there, so its order is done.
  if (kept !== null && journal.order?.key.trim() === kept.key.trim()) {
    journal = { ...journal, order: null, failures: {}, renewal: null }
  }

  async function note(change: Partial<Journal>): Promise<void> {
    journal = { ...journal, ...change }
    await replaceFile(journalPath, JSON.stringify(journal, null, 1), 0o600)
  }

  async function keep(
    { key, chain }: Certificate,
    names: readonly string[],
    done: Partial<Journal>,
  ): Promise<Kept> {
    const text = `${key.trim()}\n${chain.trim()}\n`
    const next = readKept(text)
    if (next === null || !sameNames(next.names, names))
      throw new Error(
        `What was issued for ${name} is no chain for the key and the names that were asked for.`,
      )
    await replaceFile(pemPath, text, 0o600)
    kept = next
    await note({ order: null, failures: {}, ...done })
    return next
  }

  return {
    get kept() {
      return kept
    },
    get journal() {
      return journal
    },
    note,
    keep,
  }
}

/** A file that somebody damaged is as good as none: what is missing is ordered again. */
function readJournal(text: string | null): Journal {
  if (text === null) return NEW
  try {
    return { ...NEW, ...(JSON.parse(text) as Journal) }
  } catch {
    return NEW
  }
}

const KEY = /-----BEGIN (?:EC |RSA )?PRIVATE KEY-----[^-]+-----END (?:EC |RSA )?PRIVATE KEY-----/
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/** @returns null when the text is not a key and the chain that belongs to it */
export function readKept(text: string): Kept | null {
  const key = KEY.exec(text)?.[0]
  const certificates = text.match(CERTIFICATE) ?? []
  if (key === undefined || certificates.length === 0) return null
  try {
    const leaf = new X509Certificate(certificates[0]!)
    if (!leaf.checkPrivateKey(createPrivateKey(key))) return null
    return {
      key: `${key}\n`,
      chain: `${certificates.join('\n')}\n`,
      leaf,
      names: namesOf(leaf),
      keyType: leaf.publicKey.asymmetricKeyType === 'rsa' ? 'rsa' : 'ecdsa',
      notBefore: leaf.validFromDate.getTime(),
      notAfter: leaf.validToDate.getTime(),
    }
  } catch {
    return null
  }
}

function namesOf(leaf: X509Certificate): string[] {
  return (leaf.subjectAltName ?? '')
    .split(', ')
    .filter((name) => name.startsWith('DNS:'))
    .map((name) => name.slice(4).toLowerCase())
}

/** Whether two lists have the same names, in whatever order. */
export function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name) => b.includes(name))
}
