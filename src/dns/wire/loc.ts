import type { FieldCodec } from './field.ts'
import { encodeInteger, Fault } from './octets.ts'

const EQUATOR = 2 ** 31
const DEGREE = 3_600_000
/** Altitudes count from 100 000 m below the ellipsoid, in centimetres. */
const DEPTH = 10_000_000

/** A place on the earth; angles in thousandths of a second of arc, lengths in centimetres (RFC 1876 §2, §3). */
export const location: FieldCodec = {
  wants: 'a place such as 52 22 23.000 N 4 53 32.000 E -2m 1m 10000m 10m (RFC 1876 §3)',
  many: true,
  parse: (tokens) => {
    const words = tokens.map((token) => token.text)
    const latitude = takeAngle(words, 'N', 'S', 90)
    const longitude = takeAngle(words, 'E', 'W', 180)
    const [altitude, size = '1m', horizontal = '10000m', vertical = '10m', ...more] = words
    const metres = parseCentimetres(altitude ?? '')
    const sizes = [size, horizontal, vertical].map((text) => encodePrecision(parseCentimetres(text)))
    if (latitude === undefined || longitude === undefined || metres === undefined || more.length > 0)
      return undefined
    const height = metres + DEPTH
    if (height < 0 || height > 0xffffffff || sizes.includes(undefined)) return undefined
    const angles = [latitude + EQUATOR, longitude + EQUATOR, height].map((value) => encodeInteger(value, 4))
    return Buffer.concat([Uint8Array.of(0, ...(sizes as number[])), ...angles])
  },
  print: (reader) => {
    const version = reader.u8()
    const sizes = [...reader.take(3)].map(printPrecision)
    const latitude = printAngle(reader.u32() - EQUATOR, 'N', 'S', 90)
    const longitude = printAngle(reader.u32() - EQUATOR, 'E', 'W', 180)
    const altitude = printCentimetres(reader.u32() - DEPTH)
    if (version !== 0) throw new Fault(`LOC version ${version} is unknown (RFC 1876 §2)`)
    return [latitude, longitude, altitude, ...sizes].join(' ')
  },
}

/** Take degrees, minutes and seconds up to the hemisphere's letter from the front of `words`. */
function takeAngle(words: string[], positive: string, negative: string, most: number): number | undefined {
  const end = words.findIndex((text) => [positive, negative].includes(text.toUpperCase()))
  if (end < 1 || end > 3) return undefined
  const [degrees, minutes = '0', seconds = '0', hemisphere] = [
    ...words.splice(0, end),
    ...Array(3 - end),
    words.shift(),
  ]
  const isAngle =
    /^\d{1,3}$/.test(degrees!) && /^[0-5]?\d$/.test(minutes) && /^[0-5]?\d(?:\.\d{1,3})?$/.test(seconds)
  if (!isAngle) return undefined
  const angle = Number(degrees) * DEGREE + Number(minutes) * 60_000 + Math.round(Number(seconds) * 1000)
  if (angle > most * DEGREE) return undefined
  return hemisphere!.toUpperCase() === positive ? angle : -angle
}

function printAngle(angle: number, positive: string, negative: string, most: number): string {
  const size = Math.abs(angle)
  if (size > most * DEGREE) throw new Fault(`An angle of LOC is beyond ${most} degrees`)
  const minutes = Math.floor(size / 60_000) % 60
  const seconds = ((size % 60_000) / 1000).toFixed(3)
  return `${Math.floor(size / DEGREE)} ${minutes} ${seconds} ${angle < 0 ? negative : positive}`
}

function parseCentimetres(text: string): number | undefined {
  return /^-?\d{1,8}(?:\.\d{1,2})?m?$/i.test(text) ? Math.round(Number.parseFloat(text) * 100) : undefined
}

function printCentimetres(centimetres: number): string {
  return `${(centimetres / 100).toFixed(2)}m`
}

/** Four bits of mantissa, four of exponent, both up to 9 (RFC 1876 §2). */
function encodePrecision(centimetres: number | undefined): number | undefined {
  if (centimetres === undefined || centimetres < 0 || centimetres > 9e9) return undefined
  const exponent = centimetres < 1 ? 0 : Math.floor(Math.log10(centimetres))
  return (Math.floor(centimetres / 10 ** exponent) << 4) | exponent
}

function printPrecision(octet: number): string {
  const mantissa = octet >> 4
  const exponent = octet & 0x0f
  // A mantissa of 0 has one form, 0e0: another would not come back from the text.
  if (mantissa > 9 || exponent > 9 || (mantissa === 0 && exponent > 0)) {
    throw new Fault(`Octet ${octet} is no precision of LOC (RFC 1876 §2)`)
  }
  return printCentimetres(mantissa * 10 ** exponent)
}
