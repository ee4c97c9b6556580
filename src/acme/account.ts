import { createPrivateKey, createPublicKey } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '#core/log.ts'
import { newKey } from '#core/new-key.ts'
import { readIfThere, replaceFile } from '#core/state-file.ts'
import { type AcmeClient, AcmeError } from './client.ts'
import { fileNameOf } from './file-name.ts'
import { problem } from './order.ts'
import type { AuthorityPlan } from './plan.ts'
import { type AccountKey, type Signer, signBinding, signKeyChange } from './wire/jws.ts'

/** Our account with one authority: made when first needed, kept in state. */
export type Account = {
  /** @throws {AcmeError} when the authority does not give one */
  signer(): Promise<Signer & { readonly kid: string }>
  /** The authority does not know it any more: it is made anew, with the same key. */
  forget(): void
  /** Replace the key (RFC 8555 §7.3.5). */
  rollKey(): Promise<void>
}

export type AccountOptions = {
  readonly client: AcmeClient
  readonly plan: AuthorityPlan
  /** where accounts are kept */
  readonly folder: string
  readonly log: Log
}

/** Keys in PEM. `nextKey` stands while the authority is asked to take it. */
type Saved = {
  readonly directory: string
  readonly key: string
  readonly nextKey?: string
  readonly kid?: string
  readonly contact?: string
}

/** @example (await createAccount({ client, plan, folder, log }).signer()).kid */
export function createAccount({ client, plan, folder, log }: AccountOptions): Account {
  const path = join(folder, `${fileNameOf(plan.directory)}.json`)
  const contact = plan.contact === undefined ? [] : [`mailto:${plan.contact}`]
  let opened: Promise<Signer & { readonly kid: string }> | null = null

  function signer(): Promise<Signer & { readonly kid: string }> {
    opened ??= open().catch((error: unknown) => {
      opened = null
      throw error
    })
    return opened
  }

  async function open(): Promise<Signer & { readonly kid: string }> {
    // The key is safe before the authority hears of it: the same key gives the same account again (RFC 8555 §7.3.1).
    const saved = (await read()) ?? (await save({ directory: plan.directory, key: newKey() }))
    if (saved.nextKey !== undefined) return settleRoll(saved)
    const key = accountKey(saved.key)
    if (saved.kid === undefined) return register(saved)
    if (saved.contact !== plan.contact) {
      await client.post(saved.kid, { key, kid: saved.kid }, { contact })
      const { contact: _former, ...rest } = saved
      await save({ ...rest, ...contactOf(plan) })
    }
    return { key, kid: saved.kid }
  }

  async function register(saved: Saved): Promise<Signer & { readonly kid: string }> {
    const key = accountKey(saved.key)
    const { newAccount, needsBinding } = await client.directory()
    if (needsBinding && plan.eab === undefined) {
      throw new AcmeError(problem('externalAccountRequired', ''))
    }
    const binding = plan.eab === undefined ? {} : { externalAccountBinding: await bind(key, newAccount) }
    const payload = { termsOfServiceAgreed: true, contact, ...binding }
    const { location } = await client.post(newAccount, { key, kid: null }, payload)
    if (location === undefined) {
      throw new AcmeError(problem('unreachable', 'newAccount gave no Location (RFC 8555 §7.3).'))
    }
    await save({ directory: plan.directory, key: saved.key, kid: location, ...contactOf(plan) })
    log('info', 'acme: account made', { authority: new URL(plan.directory).host, account: location })
    return { key, kid: location }
  }

  async function bind(key: AccountKey, url: string): Promise<unknown> {
    const { kid, keyFile } = plan.eab!
    const macKey = await readFile(keyFile, 'utf8').catch((error: unknown) => {
      const why = error instanceof Error ? error.message : error
      throw new AcmeError(problem('externalAccountRequired', `The key of "eab" cannot be read: ${why}`))
    })
    return signBinding(key, url, { kid, macKey: macKey.trim() })
  }

  async function rollKey(): Promise<void> {
    await signer()
    const saved = (await read())!
    await save({ ...saved, nextKey: newKey() })
    opened = null
    await signer()
  }

  /** Ask the authority to take the next key; whoever was killed in between does not know whether it did, and asks again. */
  async function settleRoll(saved: Saved): Promise<Signer & { readonly kid: string }> {
    const [key, next, kid] = [accountKey(saved.key), accountKey(saved.nextKey!), saved.kid!]
    const { keyChange } = await client.directory()
    if (keyChange === undefined) throw new AcmeError(problem('unsupported', 'It changes no keys.'))
    const isTaken = await client.post(kid, { key: next, kid }).then(
      () => true,
      () => false,
    )
    if (!isTaken) {
      await client.post(keyChange, { key, kid }, await signKeyChange({ key, next }, keyChange, kid))
    }
    const { nextKey: taken, ...rest } = saved
    await save({ ...rest, key: taken! })
    log('info', 'acme: account key changed', { account: kid })
    return { key: next, kid }
  }

  async function read(): Promise<Saved | null> {
    const text = await readIfThere(path)
    return text === null ? null : (JSON.parse(text) as Saved)
  }

  async function save(saved: Saved): Promise<Saved> {
    await replaceFile(path, JSON.stringify(saved, null, 1), 0o600)
    return saved
  }

  function forget(): void {
    opened = read().then((saved) => register(saved!))
    opened.catch(() => (opened = null))
  }

  return { signer, forget, rollKey }
}

function contactOf({ contact }: AuthorityPlan): { contact?: string } {
  return contact === undefined ? {} : { contact }
}

function accountKey(pem: string): AccountKey {
  const key = createPrivateKey(pem)
  return { private: key, public: createPublicKey(key) }
}
