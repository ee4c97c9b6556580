import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { fieldsOf } from '#http/wire/fields.ts'
import type { FieldBlock } from './frame.ts'
import { HpackDecoder } from './hpack-decoder.ts'
import { HpackEncoder } from './hpack-encoder.ts'
import { ResponseWriter } from './response-writer.ts'

const limits = { headerOctets: 65_536 }
const DATE = 'Sun, 06 Nov 1994 08:49:37 GMT'

function createPeers(): {
  writer: ResponseWriter
  encoder: HpackEncoder
  read: (block: FieldBlock) => string[]
} {
  const encoder = new HpackEncoder(4096)
  const decoder = new HpackDecoder(4096)
  const read = ({ block, length }: FieldBlock): string[] => {
    const list = decoder.decode(block, 0, length, limits)
    assert.ok(Array.isArray(list))
    return list.map(({ name, value }) => `${name}: ${value}`)
  }
  return { writer: new ResponseWriter(encoder), encoder, read }
}

describe('ResponseWriter', () => {
  test('writes names in lower case and leaves out what concerns a connection (RFC 9113 §8.2.1, §8.2.2, §8.3.2)', () => {
    const { writer, read } = createPeers()
    const fields = fieldsOf([
      ['Content-Type', 'text/html'],
      ['Connection', 'close'],
      ['Proxy-Connection', 'close'],
      ['Keep-Alive', 'timeout=5'],
      ['Transfer-Encoding', 'chunked'],
      ['Upgrade', 'h2c'],
      ['Content-Length', '7'],
      ['Set-Cookie', 'a=b'],
      ['Set-Cookie', 'c=d'],
    ])
    assert.deepEqual(read(writer.head(200, fields, 5, DATE)), [
      ':status: 200',
      'content-type: text/html',
      'set-cookie: a=b',
      'set-cookie: c=d',
      'content-length: 5',
      `date: ${DATE}`,
    ])
  })

  test('leaves the Date of an origin as it is, and a length out that nobody knows (RFC 9110 §6.6.1)', () => {
    const { writer, read } = createPeers()
    assert.deepEqual(read(writer.head(599, fieldsOf([['Date', 'x']]), null, DATE)), [
      ':status: 599',
      'date: x',
    ])
    assert.deepEqual(read(writer.head(103, fieldsOf([]), null, '')), [':status: 103'])
  })

  test('puts secrets into no table (RFC 7541 §7.1.3)', () => {
    const { writer, encoder } = createPeers()
    const { generation } = encoder
    const { block } = writer.head(200, fieldsOf([['Set-Cookie', 'a']]), null, '')
    assert.deepEqual([block[1], block[2]], [0x1f, 0x28])
    assert.equal(encoder.generation, generation)
  })

  test('has a block for the same answer again, which the peer reads as before', () => {
    const { writer, encoder, read } = createPeers()
    const fields = fieldsOf([
      ['Server', 'portico'],
      ['ETag', '"a"'],
    ])
    const other = fieldsOf([['Server', 'x']])
    const expected = [':status: 200', 'server: portico', 'etag: "a"', 'content-length: 5', `date: ${DATE}`]
    for (let i = 0; i < 4; i++) assert.deepEqual(read(writer.head(200, fields, 5, DATE)), expected)
    const steps: [status: number, lengthOctets: number, date: string][] = [
      [404, 5, DATE],
      [404, 6, DATE],
      [404, 6, 'y'],
      [404, 6, 'y'],
    ]
    for (const [status, lengthOctets, date] of steps) {
      assert.deepEqual(read(writer.head(status, fields, lengthOctets, date)), [
        `:status: ${status}`,
        ...expected.slice(1, 3),
        `content-length: ${lengthOctets}`,
        `date: ${date}`,
      ])
    }
    assert.deepEqual(read(writer.trailers(other)), ['server: x'])
    assert.deepEqual(read(writer.trailers(other)), ['server: x'])
    assert.deepEqual(read(writer.head(200, fields, 5, DATE)), expected)
    encoder.limitTable(0)
    for (let i = 0; i < 3; i++) assert.deepEqual(read(writer.head(200, fields, 5, DATE)), expected)
  })

  test('is read as it was meant, whatever is answered in whatever order', () => {
    const answers = Array.from({ length: 12 }, (_, i) =>
      fieldsOf([
        ['Content-Type', `text/${i % 3}`],
        ['X-Number', String(i)],
        ['ETag', `"${i}"`],
      ]),
    )
    const step = fc.record({
      status: fc.constantFrom(200, 404, 418),
      answer: fc.nat(answers.length - 1),
      lengthOctets: fc.constantFrom(null, 0, 1024),
      date: fc.constantFrom('', DATE),
      tableOctets: fc.option(fc.constantFrom(0, 100, 4096), { freq: 20 }),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { writer, encoder, read } = createPeers()
        for (const { status, answer, lengthOctets, date, tableOctets } of steps) {
          if (tableOctets !== null) encoder.limitTable(tableOctets)
          assert.deepEqual(read(writer.head(status, answers[answer]!, lengthOctets, date)), [
            `:status: ${status}`,
            `content-type: text/${answer % 3}`,
            `x-number: ${answer}`,
            `etag: "${answer}"`,
            ...(lengthOctets === null ? [] : [`content-length: ${lengthOctets}`]),
            ...(date === '' ? [] : [`date: ${date}`]),
          ])
        }
      }),
      { numRuns: 200 },
    )
  })
})
