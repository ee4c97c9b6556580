import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '#core/log.ts'
import { type Account, createAccount } from './account.ts'
import { type AcmeClient, AcmeError, createAcmeClient } from './client.ts'
import { problem } from './order.ts'
import type { AuthorityPlan } from './plan.ts'

/** An authority that can be asked. */
export type Authority = { readonly client: AcmeClient; readonly account: Account }

/** Authorities by their Plan: one client and one account each, however many certificates they issue. */
export type Authorities = {
  /** @throws {AcmeError} when its root cannot be read */
  open(plan: AuthorityPlan): Promise<Authority>
  /** Requests under way fail, and no other is made. */
  close(): void
}

export type AuthoritiesOptions = {
  /** where accounts are kept */
  readonly folder: string
  /** milliseconds since 1970 */
  readonly now: () => number
  readonly log: Log
}

/** @example const { client } = await createAuthorities(options).open(plan) */
export function createAuthorities({ folder, now, log }: AuthoritiesOptions): Authorities {
  const opened = new Map<string, Promise<Authority>>()
  const clients = new Set<AcmeClient>()

  function open(plan: AuthorityPlan): Promise<Authority> {
    const key = JSON.stringify(plan)
    const known = opened.get(key)
    if (known !== undefined) return known
    const opening = openNew(plan)
    opened.set(key, opening)
    opening.catch(() => opened.delete(key))
    return opening
  }

  async function openNew(plan: AuthorityPlan): Promise<Authority> {
    const roots = plan.root === undefined ? null : await readRoots(plan.root)
    const client = createAcmeClient({ url: plan.directory, roots, now })
    clients.add(client)
    return { client, account: createAccount({ client, plan, folder: join(folder, 'accounts'), log }) }
  }

  async function readRoots(path: string): Promise<string> {
    return readFile(path, 'utf8').catch((error: Error) => {
      throw new AcmeError(problem('unreachable', `Its "root" cannot be read: ${error.message}`))
    })
  }

  function close(): void {
    for (const client of clients) client.close()
  }

  return { open, close }
}
