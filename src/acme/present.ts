import { Resolver } from 'node:dns/promises'
import { setTimeout as pause } from 'node:timers/promises'
import type { Log } from '#core/log.ts'
import { AcmeError } from './client.ts'
import { problem } from './order.ts'
import type { Proof } from './proof.ts'

/** A TXT record beside the zones. */
export type OverlayText = { readonly owner: string; readonly text: string }

/** What the data plane shows to authorities: plain JSON. */
export type Shown = {
  readonly texts: readonly OverlayText[]
  /** content by host and token: `example.com/abc` */
  readonly tokens: Readonly<Record<string, string>>
  /** digests (hex) by name, for acme-tls/1 (RFC 8737 §3) */
  readonly digests: Readonly<Record<string, string>>
}

/** Where a record has to stand, and who else answers for it. */
export type Place = {
  /** absolute; the name that was asked for, or where its aliases lead */
  readonly owner: string
  /** name servers of the zone that are not this machine: names, or addresses with port */
  readonly secondaries: readonly string[]
}

export type PresenterOptions = {
  /** Give this to everything that serves; done when all have it. */
  readonly publish: (shown: Shown) => void | Promise<void>
  /** @returns a sentence when no zone of ours answers for the name */
  readonly locate: (owner: string) => Place | string
  readonly log: Log
}

/** Shows proofs of all orders together, until their orders take them away. */
export type Presenter = { show(proofs: readonly Proof[], signal: AbortSignal): Promise<() => void> }

/** How long a secondary may take to follow. */
const FOLLOW_LIMIT_MS = 120_000
const POLL_MS = 2000

/** @example const takeAway = await createPresenter(options).show(proofs, signal) */
export function createPresenter({ publish, locate, log }: PresenterOptions): Presenter {
  const current = new Set<readonly Proof[]>()

  async function show(proofs: readonly Proof[], signal: AbortSignal): Promise<() => void> {
    const placed = proofs.map((proof) => place(proof))
    const shown = placed.map(({ proof }) => proof)
    current.add(shown)
    await publish(joined(current))
    try {
      for (const { proof, secondaries } of placed) {
        if ('owner' in proof) for (const server of secondaries) await follow(server, proof, signal)
      }
    } catch (error) {
      takeAway()
      throw error
    }
    return takeAway

    function takeAway(): void {
      current.delete(shown)
      void publish(joined(current))
    }
  }

  function place(proof: Proof): { proof: Proof; secondaries: readonly string[] } {
    if (!('owner' in proof)) return { proof, secondaries: [] }
    const found = locate(proof.owner)
    if (typeof found === 'string') throw new AcmeError(problem('delegatedAway', found))
    return { proof: { ...proof, owner: found.owner }, secondaries: found.secondaries }
  }

  /** Wait until a secondary has the record; one that does not answer at all is not what the authority would ask. */
  async function follow(server: string, { owner, text }: OverlayText, signal: AbortSignal): Promise<void> {
    const addresses = await addressesOf(server)
    if (addresses.length === 0) return log('warning', 'acme: name server without address', { server })
    const resolver = new Resolver({ timeout: 3000, tries: 1 })
    resolver.setServers(addresses)
    for (const deadline = performance.now() + FOLLOW_LIMIT_MS; performance.now() < deadline; ) {
      const texts = await resolver.resolveTxt(owner.slice(0, -1)).catch((error: NodeJS.ErrnoException) => {
        return /ENOTFOUND|ENODATA|NOTFOUND|NODATA/.test(error.code ?? '') ? [] : null
      })
      if (texts === null) return log('warning', 'acme: name server does not answer', { server })
      if (texts.some((parts) => parts.join('') === text)) return
      await pause(POLL_MS, undefined, { signal })
    }
    const waited = `${server} does not have ${owner} after ${FOLLOW_LIMIT_MS / 1000} s.`
    throw new AcmeError(problem('secondary', waited))
  }

  return { show }
}

async function addressesOf(server: string): Promise<string[]> {
  if (/^[\d.]+(:\d+)?$|^\[/.test(server)) return [server]
  const resolver = new Resolver({ timeout: 3000, tries: 2 })
  const found = await Promise.allSettled([resolver.resolve4(server), resolver.resolve6(server)])
  return found.flatMap((part) => (part.status === 'fulfilled' ? part.value : []))
}

function joined(current: ReadonlySet<readonly Proof[]>): Shown {
  const proofs = [...current].flat()
  return {
    texts: proofs.filter((proof) => 'owner' in proof).map(({ owner, text }) => ({ owner, text })),
    tokens: Object.fromEntries(
      proofs
        .filter((proof) => proof.type === 'http-01')
        .map(({ name, token, content }) => [`${name}/${token}`, content]),
    ),
    digests: Object.fromEntries(
      proofs.filter((proof) => proof.type === 'tls-alpn-01').map(({ name, digest }) => [name, digest]),
    ),
  }
}
