/** The order of code units, which is the same for everybody. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** The place of the last item of a sorted list for which something still holds; -1 where it holds for none. */
export function lastIndex<Item>(items: readonly Item[], isStill: (item: Item) => boolean): number {
  let low = -1
  let high = items.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (isStill(items[middle]!)) low = middle
    else high = middle - 1
  }
  return low
}
