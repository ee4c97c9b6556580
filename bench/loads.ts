/** The load generators: other people's clients, each on the client's core. */
import { peer } from '../test/peers.ts'
import type { Round } from './compare.ts'
import { CLIENT_CORE, runPinned } from './peers.ts'

/**
 * wrk: HTTP/1.1 over keep-alive connections.
 *
 * @param script of Lua that makes the requests
 * @throws {Error} when a request failed
 */
export async function runWrk(
  port: number,
  { connections, seconds, script }: { connections: number; seconds: number; script?: string },
): Promise<Round> {
  const words = ['-t1', `-c${connections}`, `-d${seconds}`, ...(script === undefined ? [] : ['-s', script])]
  const output = await runPinned(CLIENT_CORE, peer('wrk')!, [...words, `http://127.0.0.1:${port}/`])
  const requests = Number(/(\d+) requests in/.exec(output)?.[1])
  if (!(requests > 0) || /Non-2xx|Socket errors/.test(output)) {
    throw new Error(`wrk gave no usable figure for port ${port}:\n${output}`)
  }
  return { requests, seconds }
}

/**
 * h2load: HTTP/2, or HTTP/1.1 with `--h1`, over TLS.
 *
 * @param requests of the round
 * @throws {Error} when a request failed
 */
export async function runH2load(port: number, requests: number, words: readonly string[]): Promise<Round> {
  const url = `https://127.0.0.1:${port}/`
  const output = await runPinned(CLIENT_CORE, peer('h2load')!, ['-n', `${requests}`, ...words, url])
  const rate = Number(/finished in [^,]+, ([\d.]+) req\/s/.exec(output)?.[1])
  if (!(rate > 0) || !output.includes(`status codes: ${requests} 2xx`)) {
    throw new Error(`h2load gave no usable figure for port ${port}:\n${output}`)
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
