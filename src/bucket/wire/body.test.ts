import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { piecemeal } from '../../../test/piecemeal.ts'
import { type BodyReader, Fault, type Told } from './body.ts'
import { FormUpload } from './form-upload.ts'
import { JsonUpload } from './json-upload.ts'
import { MultipartReader } from './multipart.ts'

const LIMITS = { fieldsOctets: 10_000, partsLimit: 20 }

type Read = Told & { readonly contents: readonly Buffer[] }

async function readAll(reader: BodyReader): Promise<Read> {
  const contents: Buffer[] = []
  for (let part = await reader.next(); part !== null; part = await reader.next()) {
    const pieces: Buffer[] = []
    for (let octets = await part.read(); octets !== null; octets = await part.read())
      pieces.push(Buffer.from(octets))
    contents.push(Buffer.concat(pieces))
  }
  return { ...reader.conclude(), contents }
}

const readers = {
  multipart: (body: Uint8Array, sizes: number[] = [7]) =>
    new MultipartReader(piecemeal(body, sizes), 'B', LIMITS),
  json: (body: Uint8Array, sizes: number[] = [7]) => new JsonUpload(piecemeal(body, sizes), 'mark', LIMITS),
  form: (body: Uint8Array, sizes: number[] = [7]) => new FormUpload(piecemeal(body, sizes), LIMITS),
}

const part = (disposition: string, content: string, more = ''): string =>
  `--B\r\nContent-Disposition: form-data; ${disposition}\r\n${more}\r\n${content}\r\n`

test('multipart/form-data is read whatever the pieces it comes in (RFC 7578 §4.2, RFC 2046 §5.1, RFC 2046 §5.1.1)', async () => {
  const text = `preamble\r\n${part('name=t', 'ä')}${part('name="f"; filename="a\\"%22.txt"', '\r\n--\r\n-\r', 'Content-Type: text/x\r\n')}${part('name=t', '2')}--B--\r\nepilogue`
  for (const size of [1, 2, 3, 5, 1000]) {
    const { fields, files, contents } = await readAll(readers.multipart(Buffer.from(text), [size]))
    assert.deepEqual(fields, { t: ['ä', '2'] })
    assert.deepEqual(files, [{ field: 'f', name: 'a"".txt', type: 'text/x' }])
    assert.deepEqual(contents.map(String), ['\r\n--\r\n-\r'])
  }
})

test('a field in which nobody chose a file is no file, whatever the pieces it comes in', async () => {
  const text = `${part('name=none; filename=""', '')}${part('name=some; filename=""', 'x')}--B--`
  for (const size of [1, 3, 1000]) {
    const { files, contents } = await readAll(readers.multipart(Buffer.from(text), [size]))
    assert.deepEqual([files.map(({ field }) => field), contents.map(String)], [['some'], ['x']])
  }
})

test('texts of a form are of the charset that it says, and of UTF-8 when it says none (RFC 7578 §4.5, §4.6)', async () => {
  const latin = (text: string): Buffer => Buffer.from(text, 'latin1')
  const forms = [
    latin(`${part('name=_charset_', 'windows-1252')}${part('name=\xe4', '\x80')}--B--`),
    latin(`${part('name="\xc3\xa4"', '\xa4', 'Content-Type: text/plain; charset=iso-8859-15\r\n')}--B--`),
  ]
  for (const form of forms) assert.equal((await readAll(readers.multipart(form))).fields?.['ä' as never], '€')
  assert.deepEqual((await readAll(readers.form(latin('_charset_=windows-1252&%e4=%80')))).fields, {
    _charset_: 'windows-1252',
    ä: '€',
  })
  assert.deepEqual((await readAll(readers.form(Buffer.from('_charset_=&a=%c3%a4')))).fields, {
    _charset_: '',
    a: 'ä',
  })
  for (const form of ['_charset_=klingon&a=1', '_charset_=iso-8859-7&a=%ff'])
    await assert.rejects(readAll(readers.form(Buffer.from(form))), Fault)
})

test('fields of a part may go on in the next line, and its type says that it is a file where no name does (RFC 5322 §2.2.3)', async () => {
  const text = `--B\r\ncontent-disposition: form-data;\r\n\tname=a;\r\n filename=b\r\n\r\nx\r\n${part('name=p', '\xff', 'Content-Type: image/PNG\r\n')}${part('name=j', '{}', 'Content-Type: application/json\r\n')}--B--`
  for (const size of [1, 7, 1000]) {
    const { fields, files, contents } = await readAll(readers.multipart(Buffer.from(text, 'latin1'), [size]))
    assert.deepEqual(fields, { j: '{}' })
    assert.deepEqual(files, [
      { field: 'a', name: 'b', type: null },
      { field: 'p', name: null, type: 'image/PNG' },
    ])
    assert.deepEqual(contents, [Buffer.from('x'), Buffer.from([0xff])])
  }
})

test('a filename* that cannot be read leaves the name to filename (RFC 6266 §4.3, RFC 5987 §3.2.1)', async () => {
  const cases = [
    ["filename=a; filename*=UTF-8''%e2%82%ac", '€'],
    ["filename=a; filename*=iso-8859-1'en'%A3x", '£x'],
    ["filename=a; filename*=klingon''x", 'a'],
    ["filename=a; filename*=UTF-8''%ff", 'a'],
    ['filename=a; filename*=b', 'a'],
  ] as const
  for (const [names, wanted] of cases) {
    const { files } = await readAll(readers.multipart(Buffer.from(`${part(`name=f; ${names}`, 'x')}--B--`)))
    assert.equal(files[0]?.name, wanted, names)
  }
})

test('what is no form is refused, each with its status (RFC 7578 §4.7, RFC 8187 §3.2)', async () => {
  const cases: [keyof typeof readers, string, number][] = [
    ['multipart', '', 400],
    ['multipart', part('name=a', 'x'), 400],
    ['multipart', `${part('name=a; filename=b', 'x')}--B`, 400],
    ['multipart', '--Bx\r\n\r\n--B--', 400],
    ['multipart', '--B\r\n\r\nx\r\n--B--', 400],
    ['multipart', `${part('filename=a', 'x')}--B--`, 400],
    ['multipart', `${part('name=a; name=b', 'x')}--B--`, 400],
    ['multipart', `${part("name=a; filename*=latin1''%e4", 'x')}--B--`, 400],
    ['multipart', `${part('name=a', 'x', 'Content-Transfer-Encoding: base64\r\n')}--B--`, 415],
    ['multipart', `${part('name=a', 'x', `X: ${'y'.repeat(20_000)}\r\n`)}--B--`, 431],
    ['multipart', `${part('name=a', 'x'.repeat(10_001))}--B--`, 413],
    ['multipart', `${part('name=a', 'x').repeat(21)}--B--`, 413],
    ['json', '', 400],
    ['json', '{"a":1', 400],
    ['json', '{"base64":"AAAA"', 400],
    ['json', '{"base64":"AA*A"}', 400],
    ['json', '{"base64":"A"}', 400],
    ['json', '{"base64":"AA==AAAA"}', 400],
    ['json', '{"base64":"AAAA","base64":"AAAA"}', 400],
    ['json', '{"base64":"AAAA', 400],
    ['json', `${'['.repeat(65)}${']'.repeat(65)}`, 400],
    ['json', JSON.stringify('x'.repeat(20_000)), 413],
    ['json', `[${Array(21).fill('{"base64":""}').join()}]`, 413],
    ['form', `${'a'.repeat(70_000)}=1`, 413],
    ['form', 'a=1&'.repeat(21), 413],
    ['form', 'a=%ff', 400],
    ['form', `${'a=xxxxx&'.repeat(9)}b=${'y'.repeat(11_000)}`, 413],
  ]
  for (const [kind, text, status] of cases) {
    await assert.rejects(readAll(readers[kind](Buffer.from(text), [100])), (error) => {
      assert.ok(error instanceof Fault, `${kind} ${text.slice(0, 60)}: ${error}`)
      assert.equal(error.refusal.status, status, `${kind} ${text.slice(0, 60)}: ${error.message}`)
      return true
    })
  }
})

test('files stand in JSON as base64 members or as data URLs (RFC 8259 §4, RFC 4648 §4, RFC 4648 §5, RFC 2397)', async () => {
  const text =
    '{"title":"a\\"b","f":{"name":"x.bin","type":"a/b","base64":"AAEC\\/w=="},"l":["data:image\\/png;base64,iVBO",{"k":"data:x"}],"n":{"base64":1}}'
  for (const size of [1, 2, 3, 1000]) {
    const { fields, files, contents } = await readAll(readers.json(Buffer.from(text), [size]))
    assert.deepEqual(fields, {
      title: 'a"b',
      f: { name: 'x.bin', type: 'a/b' },
      l: [null, { k: 'data:x' }],
      n: { base64: 1 },
    })
    assert.deepEqual(files, [
      { field: 'f', name: 'x.bin', type: 'a/b' },
      { field: 'l', name: null, type: 'image/png' },
    ])
    assert.deepEqual(contents, [Buffer.from([0, 1, 2, 255]), Buffer.from('iVBO', 'base64')])
  }
})

test('a long value of a form is a file, and a short one a field', async () => {
  const long = Buffer.from(Array.from({ length: 100_000 }, (_, i) => (i * 7) % 251))
  const escaped = [...long].map((c) => `%${c.toString(16).padStart(2, '0')}`).join('')
  for (const size of [1000, 65_537, 1_000_000]) {
    const body = Buffer.from(`a=1+2&f=${escaped}&b=%C3%A4&c`)
    const { fields, files, contents } = await readAll(readers.form(body, [size]))
    assert.deepEqual(fields, { a: '1 2', b: 'ä', c: '' })
    assert.deepEqual(files, [{ field: 'f', name: null, type: null }])
    assert.ok(contents[0]!.equals(long))
  }
})

const octets = fc.uint8Array({ maxLength: 300 })
const sizes = fc.array(fc.integer({ min: 1, max: 64 }), { minLength: 1, maxLength: 5 })

test('any octets come out of a form as they went in', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(octets, { maxLength: 4 }), sizes, async (contents, pieces) => {
      const body = Buffer.concat([
        ...contents.map((content, i) =>
          Buffer.concat([
            Buffer.from(`--B\r\nContent-Disposition: form-data; name=f; filename=${i}\r\n\r\n`),
            content,
            Buffer.from('\r\n'),
          ]),
        ),
        Buffer.from('--B--'),
      ])
      fc.pre(!contents.some((content) => Buffer.from(content).includes('\r\n--B')))
      const read = await readAll(readers.multipart(body, pieces))
      assert.deepEqual(
        read.contents,
        contents.map((content) => Buffer.from(content)),
      )
      const json = JSON.stringify(
        contents.map((content, i) => ({ name: `${i}`, base64: Buffer.from(content).toString('base64') })),
      )
      const readJson = await readAll(new JsonUpload(piecemeal(Buffer.from(json), pieces), 'mark', LIMITS))
      assert.deepEqual(
        readJson.contents,
        contents.map((content) => Buffer.from(content)),
      )
    }),
    { numRuns: 300 },
  )
})

test('whatever comes, a reader ends with a result or a clear fault', async () => {
  const tokens = fc.constantFrom(
    '--B',
    '\r\n',
    '--B--',
    'Content-Disposition: form-data; name=a',
    '; filename=',
    '"',
    ':',
    '\\',
    '{',
    '}',
    '[',
    ']',
    ',',
    '"base64":"',
    'AAAA',
    'data:;base64,',
    '=',
    '&',
    '%',
    '%4',
    '+',
    '\0',
  )
  const hostile = fc
    .array(fc.oneof(tokens, fc.string({ maxLength: 5 })), { maxLength: 40 })
    .map((list) => list.join(''))
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('multipart', 'json', 'form' as const),
      hostile,
      sizes,
      async (kind, text, pieces) => {
        await readAll(readers[kind as keyof typeof readers](Buffer.from(text), pieces)).catch(
          (error: unknown) => {
            assert.ok(error instanceof Fault, String(error))
            assert.ok(error.refusal.status >= 400 && error.refusal.status < 500)
          },
        )
      },
    ),
    { numRuns: 3000 },
  )
})
