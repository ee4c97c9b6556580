import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { askBucket } from '../test/bucket.ts'
import { peer, run } from '../test/peers.ts'
import { type Running, startRunning } from '../test/running.ts'

// What downloads in parts: files and objects must be the same whole whatever the parts.

const curl = peer('curl')
const wget = peer('wget')
const aria2c = peer('aria2c')
const CONTENT = randomBytes(12_345_678)
const HALF = 5_000_001

let running: Running
let folder: string

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'portico-resume-'))
  running = await startRunning(
    {
      hosts: {
        '*': {
          routes: {
            '/files/**': { files: './public' },
            '/bucket/**': { bucket: './media' },
          },
          http: 'serve',
        },
      },
    },
    { workers: 2 },
  )
  await mkdir(join(running.folder, 'public/files'), { recursive: true })
  await writeFile(join(running.folder, 'public/files/film.bin'), CONTENT)
  const put = await askBucket(running.ports.http, 'PUT', '/bucket/film.bin', CONTENT)
  assert.equal(put.status, 201, put.text)
})
after(async () => {
  await running.stop()
  await rm(folder, { recursive: true })
})

/** Download to a file of which half is there. */
async function resumed(program: string, words: (url: string, name: string) => string[], path: string) {
  const name = `${path.replaceAll('/', '-')}-${randomBytes(4).toString('hex')}`
  await writeFile(join(folder, name), CONTENT.subarray(0, HALF))
  const url = `http://media.example.com:${running.ports.http}${path}`
  const ended = await run(program, words(url, name), { cwd: folder, timeoutMs: 30_000 })
  assert.equal(ended.code, 0, ended.stdout + ended.stderr)
  assert.ok((await readFile(join(folder, name))).equals(CONTENT))
  return ended
}

for (const path of ['/files/film.bin', '/bucket/film.bin']) {
  test(`curl -C - goes on with ${path}`, { skip: curl === undefined && 'needs curl' }, async () => {
    const resolve = `media.example.com:${running.ports.http}:127.0.0.1`
    const format = ['-w', '%{http_code} %{size_download}']
    const words = (url: string, name: string) => [
      '-sS',
      '--resolve',
      resolve,
      '-C',
      '-',
      '-o',
      name,
      ...format,
      url,
    ]
    const { stdout } = await resumed(curl!, words, path)
    assert.equal(stdout, `206 ${CONTENT.length - HALF}`)
  })

  test(`wget -c goes on with ${path}`, { skip: wget === undefined && 'needs wget' }, async () => {
    const { stderr } = await resumed(wget!, (url, name) => ['-c', '-O', name, ...local(url)], path)
    assert.match(stderr, /206 Partial Content/)
    // What is complete is not fetched again: 416 with the length says so.
    const name = `whole-${path.replaceAll('/', '-')}`
    await writeFile(join(folder, name), CONTENT)
    const url = `http://media.example.com:${running.ports.http}${path}`
    const again = await run(wget!, ['-c', '-O', name, ...local(url)], { cwd: folder })
    assert.match(again.stderr, /416[\s\S]*nothing to do/)
  })

  test(`aria2c -x8 splits ${path}`, { skip: aria2c === undefined && 'needs aria2c' }, async () => {
    const name = `split-${path.replaceAll('/', '-')}`
    const [address, host] = local(`http://media.example.com:${running.ports.http}${path}`)
    const split = ['-x8', '-s8', '-k1M', '--file-allocation=none', '--allow-overwrite=true', host!]
    const words = [...split, '-o', name, '-l', `${name}.log`, '--log-level=info', address!]
    const ended = await run(aria2c!, words, { cwd: folder, timeoutMs: 30_000 })
    assert.equal(ended.code, 0, ended.stdout + ended.stderr)
    assert.ok((await readFile(join(folder, name))).equals(CONTENT))
    const ranges = (await readFile(join(folder, `${name}.log`), 'utf8')).match(/^Range: bytes=\d+-/gm) ?? []
    assert.ok(new Set(ranges).size >= 4, `${ranges.length} ranges were asked for`)
  })
}

/** The same for programs that cannot be told where a name leads. */
function local(url: string): [address: string, host: string] {
  const { host, port, pathname } = new URL(url)
  return [`http://127.0.0.1:${port}${pathname}`, `--header=Host: ${host}`]
}
