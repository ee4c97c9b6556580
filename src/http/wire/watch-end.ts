import type { Exchange } from '../exchange.ts'

/** Watch for a client that leaves while something is waited for: nothing is asked or answered for it then. */
export function watchEnd(exchange: Exchange): { readonly isOver: boolean } {
  const watch = { isOver: false }
  const before = exchange.onEnd
  exchange.onEnd = (end, ended) => {
    watch.isOver = true
    before?.(end, ended)
  }
  return watch
}
