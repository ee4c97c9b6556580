/**
 * One number a sample, as small as its values allow.
 *
 * `values` has one number for all samples, or one for each; with `index` it holds only the different ones.
 */
export type Column = {
  readonly values: Uint16Array | Uint32Array | Int32Array | Float64Array
  readonly index?: Uint8Array
}

/** The number of sample `i`. */
export function valueAt({ values, index }: Column, i: number): number {
  if (index) return values[index[i]!]!
  return values.length === 1 ? values[0]! : values[i]!
}

/**
 * Keep a number a sample in as few octets as are needed: one for all, an octet into a list of up to 256, two octets, or as given.
 *
 * @param given is kept itself where nothing smaller holds it
 */
export function pack(given: Uint32Array | Int32Array | Float64Array): Column {
  const places = new Map<number, number>()
  const index = new Uint8Array(given.length)
  let [last, place] = [Number.NaN, 0]
  for (let i = 0; i < given.length; i++) {
    const value = given[i]!
    if (value !== last) {
      const known = places.get(value)
      if (known === undefined && places.size === 256) return narrow(given)
      place = known ?? places.size
      if (known === undefined) places.set(value, place)
      last = value
    }
    index[i] = place
  }
  if (places.size <= 1) return oneOf(given[0] ?? 0)
  return { values: Float64Array.from(places.keys()), index }
}

/** As many octets as the least and the most need. */
function narrow(given: Uint32Array | Int32Array | Float64Array): Column {
  let [least, most] = [given[0]!, given[0]!]
  for (const value of given) {
    if (value < least) least = value
    if (value > most) most = value
  }
  if (least >= 0 && most <= 0xffff) return { values: Uint16Array.from(given) }
  return { values: least >= -0x80000000 && most <= 0x7fffffff ? Int32Array.from(given) : given }
}

/** The same number for all samples. */
export function oneOf(value: number): Column {
  return { values: Float64Array.of(value) }
}

/** The least number of a column. */
export function leastOf({ values }: Column): number {
  let least = values[0] ?? 0
  for (const value of values) least = Math.min(least, value)
  return least
}

/** The last place of an ascending list whose value is not above `wanted`; -1 when there is none. */
export function lastUpTo(list: ArrayLike<number>, wanted: number): number {
  let [low, high] = [0, list.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (list[middle]! <= wanted) low = middle + 1
    else high = middle
  }
  return low - 1
}

/** The sum of the numbers of samples `first` up to, not including, `end`. */
export function sumOf(column: Column, first: number, end: number): number {
  let sum = 0
  for (let i = first; i < end; i++) sum += valueAt(column, i)
  return sum
}
