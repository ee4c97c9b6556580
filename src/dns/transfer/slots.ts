/**
 * So many tasks at a time; the others wait in their order.
 *
 * @example const inSlot = createSlots(16); await inSlot(() => fetchZone(server, fetch))
 */
export function createSlots(limit: number): <Value>(task: () => Promise<Value>) => Promise<Value> {
  const waiting: (() => void)[] = []
  let free = limit
  return async (task) => {
    if (free > 0) free--
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      return await task()
    } finally {
      const next = waiting.shift()
      if (next === undefined) free++
      else next()
    }
  }
}
