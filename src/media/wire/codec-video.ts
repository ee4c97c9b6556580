import { type Box, fieldsOf } from './bmff.ts'

/** H.264 (RFC 6381 §3.3): profile, constraints and level as AVCDecoderConfigurationRecord has them. */
export function avcCodec(type: string, config: Box): string {
  const fields = fieldsOf(config)
  fields.skip(1)
  return `${type}.${hex(fields.take(3))}`
}

/** HEVC (ISO 14496-15 Annex E): profile, compatibility in reverse bit order, tier and level, constraints. */
export function hevcCodec(type: string, config: Box): string {
  const fields = fieldsOf(config)
  fields.skip(1)
  const profile = fields.u8()
  let compatible = fields.u32()
  let reversed = 0
  for (let bit = 0; bit < 32; bit++, compatible >>>= 1) reversed = (reversed << 1) | (compatible & 1)
  const constraints = [...fields.take(6)]
  while (constraints.at(-1) === 0) constraints.pop()
  const space = ['', 'A', 'B', 'C'][profile >> 6]!
  const tier = profile & 0x20 ? 'H' : 'L'
  const parts = [
    `${space}${profile & 31}`,
    (reversed >>> 0).toString(16).toUpperCase(),
    `${tier}${fields.u8()}`,
  ]
  return [type, ...parts, ...constraints.map((octet) => octet.toString(16).toUpperCase())].join('.')
}

/** Colour as ISO 14496-12 §12.1.5 has it in `nclx`; 2 is unspecified. */
export type Colour = {
  readonly primaries: number
  readonly transfer: number
  readonly matrix: number
  readonly full: number
}

/** AV1 (its ISO binding §5): the short form, and the long one when colour or sampling are not the usual ones. */
export function av1Codec(config: Box, colour: Colour | undefined): string {
  const fields = fieldsOf(config)
  fields.skip(1)
  const [level, sampling] = [fields.u8(), fields.u8()]
  const depth = sampling & 0x40 ? (sampling & 0x20 ? 12 : 10) : 8
  const short = `av01.${level >> 5}.${two(level & 31)}${sampling & 0x80 ? 'H' : 'M'}.${two(depth)}`
  const mono = (sampling >> 4) & 1
  const [x, y] = [(sampling >> 3) & 1, (sampling >> 2) & 1]
  const isUsual = mono === 0 && x === 1 && y === 1
  if (isUsual && isUsualColour(colour)) return short
  const { primaries, transfer, matrix, full } = specified(colour)
  return `${short}.${mono}.${x}${y}${x & y ? sampling & 3 : 0}.${two(primaries)}.${two(transfer)}.${two(matrix)}.${full}`
}

/** VP8 and VP9 (their ISO binding): profile, level and depth, and the rest when it is not the usual. */
export function vpCodec(type: string, config: Box): string {
  const fields = fieldsOf(config)
  fields.skip(4)
  const [profile, level, sampling] = [fields.u8(), fields.u8(), fields.u8()]
  const [primaries, transfer, matrix] = [fields.u8(), fields.u8(), fields.u8()]
  const colour = { primaries, transfer, matrix, full: sampling & 1 }
  const short = `${type}.${two(profile)}.${two(level || 10)}.${two(sampling >> 4)}`
  const subsampling = (sampling >> 1) & 7
  if (subsampling <= 1 && isUsualColour(colour)) return short
  const { primaries: p, transfer: t, matrix: m, full } = specified(colour)
  return `${short}.${two(subsampling)}.${two(p)}.${two(t)}.${two(m)}.${two(full)}`
}

/** BT.709 in the narrow range is what players take for granted; so is what nobody specified. */
function isUsualColour(colour: Colour | undefined): boolean {
  const { primaries, transfer, matrix, full } = specified(colour)
  return primaries === 1 && transfer === 1 && matrix === 1 && full === 0
}

function specified(colour: Colour | undefined): Colour {
  const or709 = (value: number | undefined) => (value === undefined || value === 2 ? 1 : value)
  return {
    primaries: or709(colour?.primaries),
    transfer: or709(colour?.transfer),
    matrix: or709(colour?.matrix),
    full: colour?.full ?? 0,
  }
}

function hex(octets: Uint8Array): string {
  return [...octets].map((octet) => octet.toString(16).padStart(2, '0')).join('')
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}
