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
/** What others hold in memory whole, because they do not read the encoding as it comes: 64 MiB. */
const HELD_OCTETS = 2 ** 26

type Encoding = 'multipart' | 'json' | 'octets' | 'urlencoded'
type Contender = { readonly port: number; readonly peers: readonly Peer[] }

type Rates = {
  /** of the file, after decoding */
  readonly mebibytesPerSecond: number
  /** processor time of all its processes for the whole */
  readonly cpuMilliseconds: number
  readonly residentMebibytes: number
}

type Measured = {
  /** of the file that both received */
  readonly octets: number
  /** ours / theirs in octets per second, and theirs / ours in processor time */
  readonly ratios: { readonly rate: number; readonly cpu: number }
  readonly contenders: Readonly<Record<'portico' | 'nginx', Rates>>
  /** 1 GiB, where the others received less */
  readonly porticoAlone?: Rates
}

export type UploadBench = {
  readonly bench: 'upload'
  readonly encodings: Readonly<Record<Encoding, Measured>>
}

/** Whether busboy, or what stands beside it in our contender, passes files on as they come. */
const THEY_STREAM: Readonly<Record<Encoding, boolean>> = {
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
    const encodings: [Encoding, Measured][] = []
    for (const encoding of ['multipart', 'octets', 'json', 'urlencoded'] as const) {
      encodings.push([encoding, await compareEncoding(encoding, portico, nginx)])
    }
    print({ bench: 'upload', encodings: Object.fromEntries(encodings) as UploadBench['encodings'] }, json)
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

async function compareEncoding(encoding: Encoding, portico: Contender, nginx: Contender): Promise<Measured> {
  const octets = THEY_STREAM[encoding] ? CONTENT_OCTETS : HELD_OCTETS
  const porticoAlone =
    octets < CONTENT_OCTETS ? (await measure(encoding, CONTENT_OCTETS, { portico })).portico : undefined
  const contenders = await measure(encoding, octets, { portico, nginx })
  const rate = round(contenders.portico.mebibytesPerSecond / contenders.nginx.mebibytesPerSecond)
  const cpu = round(contenders.nginx.cpuMilliseconds / contenders.portico.cpuMilliseconds)
  return { octets, ratios: { rate, cpu }, contenders, ...(porticoAlone && { porticoAlone }) }
}

async function measure<Name extends string>(
  encoding: Encoding,
  octets: number,
  contenders: Readonly<Record<Name, Contender>>,
): Promise<Record<Name, Rates>> {
  const names = Object.keys(contenders) as Name[]
  const cpu = new Map<string, number[]>(names.map((name) => [name, []]))
  const memory = new Map<string, number>()
  const runs = await interleave(names, ROUNDS, async (name) => {
    const { port, peers } = contenders[name]!
    const before = total(peers, cpuSeconds)
    const seconds = await upload(port, encoding, octets)
    cpu.get(name)!.push(total(peers, cpuSeconds) - before)
    memory.set(name, Math.max(memory.get(name) ?? 0, total(peers, residentOctets)))
    return octets / 2 ** 20 / seconds
  })
  const rates = names.map((name): [Name, Rates] => [
    name,
    {
      mebibytesPerSecond: round(median(runs[name]!)),
      cpuMilliseconds: round(median(cpu.get(name)!) * 1000),
      residentMebibytes: round(memory.get(name)! / 2 ** 20),
    },
  ])
  return Object.fromEntries(rates) as Record<Name, Rates>
}

async function upload(port: number, encoding: Encoding, octets: number): Promise<number> {
  const client = join(import.meta.dirname, 'upload-client.ts')
  return Number(await runPinned(CLIENT_CORE, process.execPath, [client, `${port}`, encoding, `${octets}`]))
}

function total(peers: readonly Peer[], of: (pid: number) => number): number {
  return peers.reduce((sum, { pid }) => sum + of(pid), 0)
}

function print(result: UploadBench, json: boolean): void {
  if (json) return console.log(JSON.stringify(result))
  for (const [encoding, { octets, ratios, contenders, porticoAlone }] of Object.entries(result.encodings)) {
    console.log(
      `${encoding}, ${octets / 2 ** 20} MiB: rate, ours / theirs ${ratios.rate}; processor time, theirs / ours ${ratios.cpu}`,
    )
    console.table({ ...contenders, ...(porticoAlone && { 'portico, 1 GiB': porticoAlone }) })
  }
}
