import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { peer, run } from '../test/peers.ts'
import { type Running, startRunning } from '../test/running.ts'

// Programs that people use with S3, as they are: a tree goes up, is compared, changed and comes down again.

const s3cmd = peer('s3cmd')
const rclone = peer('rclone')
const SECRET = 'a secret of some length'
const TREE: Readonly<Record<string, Buffer>> = {
  'index.html': Buffer.from('<h1>Hello</h1>'),
  'größe +&%.bin': randomBytes(70_000),
  'deep/er/film.bin': randomBytes(12_000_000),
  'deep/empty': Buffer.alloc(0),
}

let running: Running
let folder: string
let config: string

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'portico-s3-tools-'))
  const secret = join(folder, 'secret')
  await writeFile(secret, `${SECRET}\n`)
  const bucket = { root: './media', keys: { AKID: { secret } }, read: 'keys' }
  running = await startRunning(
    {},
    { domains: { localhost: { hosts: { '@': { bucket, http: 'serve' } } } }, workers: 2 },
  )
  config = join(folder, 's3cfg')
  const host = `localhost:${running.ports.http}`
  const settings = {
    access_key: 'AKID',
    secret_key: SECRET,
    host_base: host,
    host_bucket: host,
    use_https: 'False',
  }
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}`)
  await writeFile(config, `[default]\n${lines.join('\n')}\n`)
  for (const [name, octets] of Object.entries(TREE)) {
    await mkdir(join(folder, 'tree', name, '..'), { recursive: true })
    await writeFile(join(folder, 'tree', name), octets)
  }
})
after(async () => {
  await running.stop()
  await rm(folder, { recursive: true })
})

async function isTree(path: string): Promise<void> {
  const names = await readdir(path, { recursive: true, withFileTypes: true })
  const files = names.filter((entry) => entry.isFile())
  assert.equal(files.length, Object.keys(TREE).length)
  for (const [name, octets] of Object.entries(TREE)) {
    assert.ok((await readFile(join(path, name))).equals(octets), name)
  }
}

test('s3cmd syncs a tree, in parts where files are large, lists it, and removes it', {
  skip: s3cmd === undefined && 'needs s3cmd',
}, async () => {
  const ask = async (...words: string[]): Promise<string> => {
    const all = ['-c', config, '--no-progress', '--no-mime-magic', ...words]
    const ended = await run(s3cmd!, all, { cwd: folder, timeoutMs: 60_000 })
    assert.equal(ended.code, 0, `${words.join(' ')}: ${ended.stdout}${ended.stderr}`)
    return ended.stdout
  }
  await ask('sync', '--multipart-chunk-size-mb=5', 'tree/', 's3://localhost/s3cmd/')
  const listed = await ask('ls', '--recursive', 's3://localhost/s3cmd/')
  assert.deepEqual(
    [...listed.matchAll(/(\d+) +s3:\/\/localhost\/s3cmd\/(.+)$/gm)]
      .map(([, size, name]) => [name, Number(size)])
      .sort(),
    Object.entries(TREE)
      .map(([name, { length }]) => [name, length])
      .sort(),
  )
  assert.match(await ask('ls', 's3://localhost/s3cmd/'), /DIR +s3:\/\/localhost\/s3cmd\/deep\//)
  assert.match(await ask('info', 's3://localhost/s3cmd/index.html'), /MIME type: +text\/html/)
  await ask('cp', 's3://localhost/s3cmd/index.html', 's3://localhost/s3cmd/copy.html')
  await ask('mv', 's3://localhost/s3cmd/copy.html', 's3://localhost/s3cmd/moved.html')
  assert.doesNotMatch(await ask('ls', 's3://localhost/s3cmd/'), /copy\.html/)
  await ask('del', 's3://localhost/s3cmd/moved.html')
  // A second time nothing is sent.
  assert.doesNotMatch(
    await ask('sync', '--multipart-chunk-size-mb=5', 'tree/', 's3://localhost/s3cmd/'),
    /upload:/,
  )
  await mkdir(join(folder, 's3cmd'))
  await ask('sync', 's3://localhost/s3cmd/', 's3cmd/')
  await isTree(join(folder, 's3cmd'))
  await ask('del', '--recursive', '--force', 's3://localhost/s3cmd/')
  assert.equal(await ask('ls', '--recursive', 's3://localhost/s3cmd/'), '')
})

test('rclone syncs a tree, in parts where files are large, compares it, and removes it', {
  skip: rclone === undefined && 'needs rclone',
}, async () => {
  const env = {
    RCLONE_CONFIG: join(folder, 'rclone.conf'),
    // The machine may have one for https, which it does not take here.
    AWS_CA_BUNDLE: '',
    RCLONE_CONFIG_P_TYPE: 's3',
    RCLONE_CONFIG_P_PROVIDER: 'Other',
    RCLONE_CONFIG_P_ENDPOINT: `http://localhost:${running.ports.http}`,
    RCLONE_CONFIG_P_ACCESS_KEY_ID: 'AKID',
    RCLONE_CONFIG_P_SECRET_ACCESS_KEY: SECRET,
  }
  const ask = async (...words: string[]): Promise<string> => {
    const ended = await run(rclone!, [...words, '--retries=1'], { cwd: folder, env, timeoutMs: 60_000 })
    assert.equal(ended.code, 0, `${words.join(' ')}: ${ended.stdout}${ended.stderr}`)
    return ended.stdout
  }
  const parts = ['--s3-upload-cutoff=5M', '--s3-chunk-size=5M']
  await ask('sync', ...parts, 'tree', 'p:localhost/rclone')
  await ask('check', '--download', 'tree', 'p:localhost/rclone')
  await ask('check', 'tree', 'p:localhost/rclone')
  assert.equal(JSON.parse(await ask('size', '--json', 'p:localhost/rclone')).count, Object.keys(TREE).length)
  assert.deepEqual((await ask('lsf', 'p:localhost/rclone')).trim().split('\n').sort(), [
    'deep/',
    'größe +&%.bin',
    'index.html',
  ])
  await ask('copyto', 'p:localhost/rclone/index.html', 'p:localhost/rclone/copy.html')
  await ask('moveto', 'p:localhost/rclone/copy.html', 'p:localhost/rclone/moved.html')
  assert.equal(await ask('cat', '--offset', '4', '--count', '5', 'p:localhost/rclone/moved.html'), 'Hello')
  await ask('deletefile', 'p:localhost/rclone/moved.html')
  await ask('sync', 'p:localhost/rclone', 'rclone')
  await isTree(join(folder, 'rclone'))
  await ask('delete', 'p:localhost/rclone')
  assert.equal(await ask('lsf', 'p:localhost/rclone'), '')
})
