/** A number in four characters or so: `0`, `0.3`, `42`, `1234`, `12.3k`, `4.5M`. */
export function showNumber(value: number): string {
  if (Number.isInteger(value) && value < 10) return String(value)
  if (value < 10) return value.toFixed(1)
  if (value < 10_000) return String(Math.round(value))
  const units = ['k', 'M', 'G', 'T']
  return scaled(value, units)
}

/** Octets with three digits: `512 B`, `1.2 kB`, `34 MB`. */
export function showOctets(octets: number): string {
  if (octets < 1000) return `${Math.round(octets)} B`
  return `${scaled(octets, [' kB', ' MB', ' GB', ' TB'])}`
}

/** Seconds with two or three digits: `850 µs`, `1.2 ms`, `34 ms`, `2.5 s`; a dash when there are none. */
export function showSeconds(seconds: number | undefined): string {
  if (seconds === undefined) return '–'
  if (seconds < 0.001) return `${Math.round(seconds * 1e6)} µs`
  if (seconds < 1) return `${significant(seconds * 1000)} ms`
  return `${significant(seconds)} s`
}

/** How long something has run: `42s`, `3m 12s`, `5h 7m`, `12d 3h`. */
export function showAge(seconds: number): string {
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [Math.floor(seconds) % 60, 's'],
  ]
  const first = parts.findIndex(([count, unit]) => count > 0 || unit === 's')
  return parts
    .slice(first, first + 2)
    .map(([count, unit]) => `${count}${unit}`)
    .join(' ')
}

function scaled(value: number, units: readonly string[]): string {
  let amount = value / 1000
  let unit = 0
  while (amount >= 1000 && unit < units.length - 1) {
    amount /= 1000
    unit++
  }
  return `${significant(amount)}${units[unit]}`
}

function significant(value: number): string {
  return value < 10 ? value.toFixed(1) : String(Math.round(value))
}
