import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, open, readFile, rm, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { openDirect } from '#core/direct-file.ts'
import { kernelFile } from '#core/kernel-file.ts'
import { BlockWriter } from './block-writer.ts'

let folder = ''
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'portico-'))
})
after(() => rm(folder, { recursive: true }))

const MEBIBYTE = 1_048_576
const CONTENT = Buffer.alloc(20 * MEBIBYTE, 'what a client sends, and never twice the same: ')
for (let at = 0; at < CONTENT.length; at += 4096) CONTENT.writeUInt32LE(at, at)

/** Write octets of the content from a position in a file, in pieces. */
async function writePieces(name: string, from: number, to: number, pieceOctets: number): Promise<string[]> {
  const path = join(folder, name)
  const file = await open(path, from === 0 ? 'w' : 'r+')
  const hash = createHash('sha256')
  const writer = new BlockWriter(file, from, (octets) => hash.update(octets))
  for (let at = from; at < to; at += pieceOctets) {
    await writer.write(CONTENT.subarray(at, Math.min(to, at + pieceOctets)))
  }
  await writer.flush()
  await writer.close()
  return [path, hash.digest('hex')]
}

const hashOf = (octets: Uint8Array): string => createHash('sha256').update(octets).digest('hex')

const rows = [
  { title: 'nothing', to: 0, pieceOctets: 1 },
  { title: 'less than a block', to: 5000, pieceOctets: 100 },
  { title: 'a block and an octet', to: 262_145, pieceOctets: 65_536 },
  { title: 'much, in pieces longer than a block', to: 20 * MEBIBYTE - 3, pieceOctets: 700_001 },
  { title: 'much, in short pieces, to the end of a page', to: 20 * MEBIBYTE, pieceOctets: 9999 },
]
for (const { title, to, pieceOctets } of rows) {
  test(`octets stand in the file as they were given, and are seen once in order: ${title}`, async () => {
    const [path, hash] = await writePieces('whole', 0, to, pieceOctets)
    assert.equal(hash, hashOf(CONTENT.subarray(0, to)))
    assert.ok(CONTENT.subarray(0, to).equals(await readFile(path!)))
  })
}

test('a file goes on from within a page', async () => {
  await writePieces('resumed', 0, 12_345, 1000)
  const [path] = await writePieces('resumed', 12_345, 19 * MEBIBYTE + 1, 262_144)
  assert.ok(CONTENT.subarray(0, 19 * MEBIBYTE + 1).equals(await readFile(path!)))
})

test('what is behind the first 16 MiB does not stay in the memory of the kernel', async (t) => {
  const [path] = await writePieces('large', 0, CONTENT.length, 262_144)
  const file = await open(path!)
  const direct = await openDirect(file)
  await direct?.close()
  // A file system that lies in memory takes no place of others there.
  const isInMemory = (await statfs(folder)).type === TMPFS
  if (kernelFile === undefined || direct === null || isInMemory) t.skip('no such files here')
  else {
    const lastPage = [CONTENT.length - 4096, 4096] as const
    assert.deepEqual(
      [kernelFile.isInMemory(file.fd, 0, 4096), kernelFile.isInMemory(file.fd, ...lastPage)],
      [true, false],
    )
  }
  await file.close()
})

test('a file that cannot be written fails who gives octets, and who flushes', async () => {
  const file = await open(join(folder, 'whole'), 'r')
  const writer = new BlockWriter(file, 0)
  await assert.rejects(async () => {
    for (let i = 0; i < 20; i++) await writer.write(CONTENT.subarray(0, MEBIBYTE))
  }, /EBADF/)
  await assert.rejects(writer.flush(), /EBADF/)
  await writer.close()
})

const TMPFS = 0x01_02_19_94
