import assert from 'node:assert/strict'
import { test } from 'node:test'
import { layOutByteranges } from './byteranges.ts'

test('a layout says type, position and length of each part (RFC 9110 §14.6, RFC 2046 §5.1.1)', () => {
  const ranges = [
    { first: 0, last: 1 },
    { first: 5, last: 9 },
  ]
  const layout = layOutByteranges(ranges, 10, 'text/plain', 'b')
  const content = Buffer.from('0123456789')
  const text = layout.parts
    .map(({ head, range }) => head + content.toString('latin1', range.first, range.last + 1))
    .join('')
  assert.equal(layout.contentType, 'multipart/byteranges; boundary=b')
  assert.equal((text + layout.tail).length, layout.lengthOctets)
  assert.equal(
    text + layout.tail,
    '\r\n--b\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/10\r\n\r\n01' +
      '\r\n--b\r\nContent-Type: text/plain\r\nContent-Range: bytes 5-9/10\r\n\r\n56789\r\n--b--\r\n',
  )
})
