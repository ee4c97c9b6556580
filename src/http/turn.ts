/** Something that has gathered work for the end of the turn. */
export type Flushable = { flush(): void }

let gathered: Flushable[] = []

/**
 * Call `flush` at the end of this turn of the event loop, once for each time it is asked for.
 *
 * Writes of one turn that go out together find the other side awake: waking a process for every single write costs
 * more than the write itself.
 */
export function flushAtEndOfTurn(flushable: Flushable): void {
  if (gathered.push(flushable) === 1) setImmediate(flushGathered)
}

function flushGathered(): void {
  const flushables = gathered
  gathered = []
  for (const flushable of flushables) flushable.flush()
}
