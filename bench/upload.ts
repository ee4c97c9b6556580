import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '../test/ports.ts'
import { round } from './compare.ts'
import { createGround, type Ground, startScript } from './ground.ts'
import { listenPlain, startNginx } from './nginx.ts'
import {
  CLIENT_CORE,
  cpuSeconds,
  interleave,
  median,
  type Peer,
  residentOctets,
  runPinned,
  SERVER_CORE,
  waitForPort,
} from './peers.ts'

const ROUNDS = 3
const CONTENT_OCTETS = 2 ** 30

type Encoding = 'multipart' | 'json' | 'octets' | 'urlencoded'
type Contender = { readonly port: number; readonly peers: readonly Peer[] }

type Rates = {
  /** of the file, after decoding */
  readonly mebibytesPerSecond: number
  /** processor time of all its processes for the whole */
  readonly cpuMilliseconds: number
  readonly residentMebibytes: number
}

export type UploadBench = {
  readonly bench: 'upload'
  /** ours / theirs, octets per second; null where they have no way to read the encoding as it comes */
  readonly ratios: Readonly<Record<Encoding, number | null>>
  readonly contenders: Readonly<Record<Encoding, { readonly portico: Rates; readonly nginx: Rates | null }>>
}

/** What busboy would hold in memory whole is not asked of it at this size. */
const THEIRS: Readonly<Record<Encoding, boolean>> = {
  multipart: true,
  json: false,
  octets: true,
  urlencoded: false,
}

/**
 * Measure uploads of 1 GiB in each encoding, hashed and written to disk, beside nginx that passes them to busboy on
 * `node:http`. Neither waits for the disk; all of a contender runs on one core.
 *
 * @throws {Error} when nginx is missing, or one of them does not start
 */
export async function run({ json }: { json: boolean }): Promise<void> {
  const ground = await createGround('upload', ['nginx'])
  try {
    const portico = await startPortico(ground)
    const nginx = await startOthers(ground)
    const contenders: Partial<Record<Encoding, { portico: Rates; nginx: Rates | null }>> = {}
    const ratios: Partial<Record<Encoding, number | null>> = {}
    for (const encoding of ['multipart', 'octets', 'json', 'urlencoded'] as const) {
      const measured = await measure(encoding, THEIRS[encoding] ? { portico, nginx } : { portico })
      const theirs = measured.nginx ?? null
      contenders[encoding] = { portico: measured.portico!, nginx: theirs }
      ratios[encoding] = theirs && round(measured.portico!.mebibytesPerSecond / theirs.mebibytesPerSecond)
    }
    print({ bench: 'upload', ratios, contenders } as UploadBench, json)
  } finally {
    await ground.leave()
  }
}

async function startPortico(ground: Ground): Promise<Contender> {
  const port = await freePort()
  const peer = await startScript(ground, 'upload-portico.ts', `${port}`, ground.folder)
  await waitForPort(port)
  return { port, peers: [peer] }
}

async function startOthers(ground: Ground): Promise<Contender> {
  const [port, origin] = [await freePort(), await freePort()]
  const folder = join(ground.folder, 'node')
  await mkdir(folder)
  const node = await startScript(ground, 'upload-node.ts', `${origin}`, folder)
  const block = `server {
    ${listenPlain(port)}
    client_max_body_size 0;
    location / {
      proxy_pass http://127.0.0.1:${origin};
      proxy_http_version 1.1;
      proxy_request_buffering off;
      client_body_buffer_size 256k;
    }
  }`
  const nginx = await startNginx(ground, SERVER_CORE, 'nginx', block)
  await Promise.all([waitForPort(port), waitForPort(origin)])
  return { port, peers: [nginx, node] }
}

async function measure(
  encoding: Encoding,
  contenders: Readonly<Record<string, Contender>>,
): Promise<Record<string, Rates>> {
  const names = Object.keys(contenders)
  const cpu = new Map<string, number[]>(names.map((name) => [name, []]))
  const memory = new Map<string, number>()
  const runs = await interleave(names, ROUNDS, async (name) => {
    const { port, peers } = contenders[name]!
    const before = total(peers, cpuSeconds)
    const seconds = await upload(port, encoding)
    cpu.get(name)!.push(total(peers, cpuSeconds) - before)
    memory.set(name, Math.max(memory.get(name) ?? 0, total(peers, residentOctets)))
    return CONTENT_OCTETS / 2 ** 20 / seconds
  })
  const rates = names.map((name): [string, Rates] => [
    name,
    {
      mebibytesPerSecond: round(median(runs[name]!)),
      cpuMilliseconds: round(median(cpu.get(name)!) * 1000),
      residentMebibytes: round(memory.get(name)! / 2 ** 20),
    },
  ])
  return Object.fromEntries(rates)
}

async function upload(port: number, encoding: Encoding): Promise<number> {
  const client = join(import.meta.dirname, 'upload-client.ts')
  return Number(
    await runPinned(CLIENT_CORE, process.execPath, [client, `${port}`, encoding, `${CONTENT_OCTETS}`]),
  )
}

function total(peers: readonly Peer[], of: (pid: number) => number): number {
  return peers.reduce((sum, { pid }) => sum + of(pid), 0)
}

function print(result: UploadBench, json: boolean): void {
  if (json) return console.log(JSON.stringify(result))
  for (const [encoding, { portico, nginx }] of Object.entries(result.contenders)) {
    console.log(
      `${encoding}: ${describe(portico)}; nginx and busboy ${nginx === null ? 'not measured' : describe(nginx)}`,
    )
  }
}

function describe({ mebibytesPerSecond, cpuMilliseconds, residentMebibytes }: Rates): string {
  return `${mebibytesPerSecond} MiB/s, ${cpuMilliseconds} ms of processor, ${residentMebibytes} MiB`
}
