import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressOctets } from '#dns/wire/address.ts'
import { createPlaces } from './places.ts'

const text = (value: string): Buffer => Buffer.concat([Buffer.of(0x40 | value.length), Buffer.from(value)])
const map = (entries: Readonly<Record<string, Buffer>>): Buffer =>
  Buffer.concat([
    Buffer.of(0xe0 | Object.keys(entries).length),
    ...Object.entries(entries).flatMap(([key, value]) => [text(key), value]),
  ])
const u16 = (value: number): Buffer => Buffer.of(0xa2, value >> 8, value & 0xff)

/** A file in MaxMind's format with one node: 0.0.0.0/1 is in a country, the other half in none. */
function countryFile(country: string): Buffer {
  const nodes = 1
  const node = Buffer.alloc(6)
  node.writeUIntBE(nodes + 16, 0, 3)
  node.writeUIntBE(nodes, 3, 3)
  const metadata = map({
    node_count: u16(nodes),
    record_size: u16(24),
    ip_version: u16(4),
    database_type: text('Test'),
    binary_format_major_version: u16(2),
    binary_format_minor_version: u16(0),
  })
  const data = map({ country: map({ iso_code: text(country) }) })
  const marker = Buffer.from('abcdef4d61784d696e642e636f6d', 'hex')
  return Buffer.concat([node, Buffer.alloc(16), data, marker, metadata])
}

test('a file of countries gives their middle, and networks of our own win over it', () => {
  const places = createPlaces(
    { networks: [['10.0.0.0/8', { latitude: 1, longitude: 2 }]] },
    countryFile('DE'),
  )
  const germany = { latitude: 51, longitude: 10 }
  // The network of our own parts from the rest at its eighth bit, so no answer holds for more than that.
  assert.deepEqual(places.find(addressOctets('11.0.0.1'), 32), { value: germany, prefix: 8 })
  assert.deepEqual(places.find(addressOctets('64.0.0.1'), 32), { value: germany, prefix: 2 })
  assert.deepEqual(places.find(addressOctets('10.1.2.3'), 32).value, { latitude: 1, longitude: 2 })
  assert.equal(places.find(addressOctets('192.0.2.1'), 32).value, undefined)
  // Remembered, and the same.
  assert.deepEqual(places.find(addressOctets('64.0.0.1'), 32), { value: germany, prefix: 2 })
  assert.equal(places.find(addressOctets('64.0.0.1'), 1).prefix, 1)
})

test('a file of another format is refused when it is read', () => {
  assert.throws(() => createPlaces({ networks: [] }, Buffer.from('no such file')))
})
