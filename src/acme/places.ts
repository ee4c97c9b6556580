/** So many at a time; the others wait in line. */
export function createPlaces(count: number): {
  within(work: () => Promise<void> | undefined): Promise<void>
} {
  const line: (() => void)[] = []
  let free = count
  return {
    async within(work) {
      if (free === 0) await new Promise<void>((resolve) => line.push(resolve))
      else free--
      try {
        await work()
      } finally {
        const next = line.shift()
        if (next === undefined) free++
        else next()
      }
    },
  }
}
