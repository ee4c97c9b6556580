/** The load generators: other people's clients, each on the client's core. */
import { peer } from '../test/peers.ts'
import type { Round } from './compare.ts'
import { CLIENT_CORE, runPinned } from './peers.ts'

export type WrkLoad = {
  readonly connections: number
  /** at most: a script may end it before */
  readonly seconds: number
  readonly target?: string
  /** of Lua that makes the requests, and words for it */
  readonly script?: string
  readonly words?: readonly string[]
}

/**
 * wrk: HTTP/1.1 over keep-alive connections.
 *
 * @throws {Error} when a request failed
 */
export async function runWrk(
  port: number,
  { connections, seconds, target = '/', script, words = [] }: WrkLoad,
): Promise<Round> {
  const options = ['-t1', `-c${connections}`, `-d${seconds}`, ...(script === undefined ? [] : ['-s', script])]
  const url = `http://127.0.0.1:${port}${target}`
  const output = await runPinned(CLIENT_CORE, peer('wrk')!, [...options, url, '--', ...words])
  const [, requests, took] = (/(\d+) requests in ([\d.]+)s/.exec(output) ?? []).map(Number)
  if (!(requests! > 0) || /Non-2xx|Socket errors/.test(output)) {
    throw new Error(`wrk gave no usable figure for port ${port}:\n${output}`)
  }
  return { requests: requests!, seconds: took! }
}

/**
 * h2load: HTTP/2, or HTTP/1.1 with `--h1`.
 *
 * @param requests of the round
 * @throws {Error} when a request failed
 */
export async function runH2load(url: string, requests: number, words: readonly string[]): Promise<Round> {
  const output = await runPinned(CLIENT_CORE, peer('h2load')!, ['-n', `${requests}`, ...words, url])
  const rate = Number(/finished in [^,]+, ([\d.]+) req\/s/.exec(output)?.[1])
  if (!(rate > 0) || !output.includes(`status codes: ${requests} 2xx`)) {
    throw new Error(`h2load gave no usable figure for ${url}:\n${output}`)
  }
  return { requests, seconds: requests / rate }
}

/** curl: one download over HTTP/1.1 of what must be `octets` long; the self-signed certificate is taken. */
export async function runCurl(url: string, octets: number): Promise<Round> {
  // The same cipher for all: what is measured is the server, not its list.
  const tls = ['--insecure', '--tls13-ciphers', 'TLS_AES_128_GCM_SHA256']
  const words = ['--silent', '--http1.1', ...tls, '--output', '/dev/null']
  const report = ['--write-out', '%{http_code} %{size_download} %{time_total}']
  const output = await runPinned(CLIENT_CORE, peer('curl')!, [...words, ...report, url])
  const [status, size, seconds] = output.split(' ').map(Number)
  if (status !== 200 || size !== octets) throw new Error(`curl did not get ${octets} octets: ${output}`)
  return { requests: 1, seconds: seconds! }
}
