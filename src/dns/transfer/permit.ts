import { cut, parseNetwork } from '#core/network.ts'
import { addressKey, type MovePlan } from './plan.ts'

/** Who asks for something about a zone; `key` is the name of the key that signed it. */
export type Asking = { readonly client: string; readonly key: string | null }

export type Permission =
  | 'allowed'
  | 'refused: not copied to anyone'
  | 'refused: address not in "to"'
  | 'refused: not signed with the key'
  | 'refused: not updated by anyone'
  | 'refused: not from a primary'

/**
 * Decide whether a client may do what it asks for.
 *
 * @param move of the zone; undefined when it has none
 */
export function permit(
  wish: 'copy' | 'update' | 'notify',
  move: MovePlan | undefined,
  { client, key }: Asking,
): Permission {
  if (wish === 'copy') return permitCopy(move, client, key)
  if (wish === 'update') {
    if (move?.update == null) return 'refused: not updated by anyone'
    return key !== null && move.update.keys.includes(key) ? 'allowed' : 'refused: not signed with the key'
  }
  const isPrimary = move?.secondary?.from.some(({ address }) => addressKey(address) === addressKey(client))
  if (isPrimary !== true) return 'refused: not from a primary'
  // Whoever knows the primaries' addresses can forge a NOTIFY; it makes us ask, no more.
  return 'allowed'
}

/** Whether an update may change an owner: it is one of the names, or below one that begins with `*.`; null: all are. */
export function mayChange(owner: string, names: readonly string[] | null): boolean {
  if (names === null) return true
  return names.some((name) => owner === name || (name.startsWith('*.') && owner.endsWith(name.slice(1))))
}

function permitCopy(move: MovePlan | undefined, client: string, key: string | null): Permission {
  if (move?.out == null) return 'refused: not copied to anyone'
  const { to, key: wanted } = move.out
  if (to !== null && !to.some((network) => isIn(client, network))) return 'refused: address not in "to"'
  return wanted === null || wanted === key ? 'allowed' : 'refused: not signed with the key'
}

function isIn(client: string, text: string): boolean {
  const network = parseNetwork(text)
  const address = parseNetwork(client.replace(/^::ffff:(?=\d+\.)/i, ''))
  if (network === undefined || address?.family !== network.family) return false
  return cut(address, network.prefix).bits === network.bits
}
