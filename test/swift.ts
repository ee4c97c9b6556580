import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { peer, run } from './peers.ts'
import { freePort } from './ports.ts'
import { until } from './running.ts'

const servers = {
  account: peer('swift-account-server'),
  container: peer('swift-container-server'),
  object: peer('swift-object-server'),
  proxy: peer('swift-proxy-server'),
} as const

/** Whether OpenStack Swift is installed. */
export const hasSwift: boolean = Object.values(servers).every(Boolean)

/** OpenStack Swift with its S3 interface: a store of other people, with one disk, in a folder of its own. */
export type Swift = {
  /** where its S3 interface is */
  readonly url: string
  readonly key: string
  readonly secret: string
  /** Start it, again when it was stopped. */
  start(): Promise<void>
  /** Nobody reaches it any more; it keeps what it has. */
  stop(): Promise<void>
  /** Stop it, and remove what it has. */
  remove(): Promise<void>
}

/** Prepare a Swift; it does not run yet. */
export async function createSwift(): Promise<Swift> {
  const folder = await mkdtemp(join(tmpdir(), 'portico-swift-'))
  await mkdir(join(folder, 'disks', 'd1'), { recursive: true })
  const ports: number[] = []
  const rings: string[] = []
  for (const kind of ['account', 'container', 'object'] as const) {
    const port = await freePort()
    ports.push(port)
    rings.push(join(folder, `${kind}.ring.gz`), `${port}`)
    const disks = `devices = ${join(folder, 'disks')}\nmount_check = false`
    const text = `[pipeline:main]\npipeline = ${kind}-server\n\n[app:${kind}-server]\nuse = egg:swift#${kind}\n`
    await writeFile(join(folder, `${kind}.conf`), `${common(folder, port)}\n${disks}\n\n${text}`)
  }
  const { code, stderr } = await run(PYTHON, ['-c', BUILD_RINGS, ...rings], { timeoutMs: 60_000 })
  if (code !== 0) throw new Error(`Swift made no rings: ${stderr}`)
  const port = await freePort()
  await writeFile(join(folder, 'proxy.conf'), `${common(folder, port)}\n\n${PROXY}`)
  const storage: ChildProcess[] = []
  const serve = (kind: keyof typeof servers): ChildProcess =>
    spawn(servers[kind]!, [join(folder, `${kind}.conf`)], { stdio: 'ignore' })
  let proxy: ChildProcess | undefined
  const stop = async (): Promise<void> => {
    await end(proxy)
    proxy = undefined
  }
  return {
    url: `http://127.0.0.1:${port}`,
    key: 'test:tester',
    secret: SECRET,
    async start() {
      if (storage.length === 0) storage.push(serve('account'), serve('container'), serve('object'))
      proxy = serve('proxy')
      for (const one of [port, ...ports])
        await until(() => fetch(`http://127.0.0.1:${one}/`).then(Boolean, () => false), 60_000)
    },
    stop,
    async remove() {
      await stop()
      for (const child of storage) await end(child)
      await rm(folder, { recursive: true })
    },
  }
}

async function end(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined) return
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

function common(folder: string, port: number): string {
  return `[DEFAULT]
bind_ip = 127.0.0.1
bind_port = ${port}
# In one process each.
workers = 0
user = ${process.env['USER'] ?? 'root'}
swift_dir = ${folder}`
}

/** Debian's, which has the modules of Swift; another one may come first in PATH. */
const PYTHON = '/usr/bin/python3'
/** One copy of each of four parts, on the one disk. */
const BUILD_RINGS = `import sys
from swift.common.ring import RingBuilder
for path, port in zip(sys.argv[1::2], sys.argv[2::2]):
    builder = RingBuilder(2, 1, 1)
    place = {'ip': '127.0.0.1', 'port': int(port)}
    builder.add_dev({'region': 1, 'zone': 1, **place, 'device': 'd1', 'weight': 1})
    builder.rebalance()
    builder.get_ring().save(path)
`
const SECRET = 'a-secret-of-some-length'

const PROXY = `[pipeline:main]
pipeline = catch_errors cache s3api tempauth slo proxy-server

[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true

[filter:catch_errors]
use = egg:swift#catch_errors

# There is none, and it does without.
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:1

[filter:s3api]
use = egg:swift#s3api
location = us-east-1

[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = ${SECRET} .admin

[filter:slo]
use = egg:swift#slo
`
