import type { RRset } from '../rrset.ts'
import type { Zone, Zones } from '../zone.ts'

/** Makes signatures before they are asked for, a few at a time, and renews them. */
export type Presigner = {
  /** These zones are served from now on. */
  replace(zones: Zones): void
  close(): void
}

/** RRsets of a zone that are signed ahead; larger zones are signed as they are asked for. */
const LIMIT_RRSETS = 10_000
/** A batch takes about 1 ms of every 10. */
const BATCH = 40
const BATCH_EVERY_MS = 10
const AGAIN_MS = 600_000

const NO_NAME = Uint8Array.of(0)

/** One walk through all zones after they were replaced, and one every ten minutes. */
export function createPresigner(): Presigner {
  let timer: NodeJS.Timeout | undefined
  let zones: Zones | undefined

  function walk(): void {
    const waiting = (zones?.list ?? []).flatMap(staticRRsets)
    let done = 0
    const batch = (): void => {
      // Past the limit of signatures, clients come first.
      for (let i = 0; i < BATCH && done < waiting.length && signAhead(waiting[done]!); i++) done++
      timer =
        done < waiting.length ? setTimeout(batch, BATCH_EVERY_MS).unref() : setTimeout(walk, AGAIN_MS).unref()
    }
    if (waiting.length > 0) timer = setTimeout(batch, BATCH_EVERY_MS).unref()
  }

  return {
    replace(next) {
      clearTimeout(timer)
      zones = next
      walk()
    },
    close: () => clearTimeout(timer),
  }
}

function staticRRsets({ plan, names, negative, signer, spans }: Zone): RRset[] {
  if (signer === undefined || plan.rrsets.length > LIMIT_RRSETS) return []
  const rrsets = [negative, ...names.values.flatMap((node) => node.rrsets), ...(spans?.list() ?? [])]
  // Those of wildcards are signed for each name.
  return rrsets.filter((rrset) => rrset.signer && !rrset.plan.owner.startsWith('*.'))
}

/** Whether it is signed. */
function signAhead(rrset: RRset): boolean {
  return rrset.signer?.sign(rrset, NO_NAME, false) !== undefined
}
