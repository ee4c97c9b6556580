import { request } from 'node:http'

export type Reply = {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Buffer
  readonly text: string
  json(): unknown
}

/** Ask the bucket of media.example.com over plain HTTP. */
export function askBucket(
  port: number,
  method: string,
  path: string,
  body?: Uint8Array | string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { port, host: '127.0.0.1', method, path, headers: { host: 'media.example.com', ...headers } },
      (reply) => {
        const parts: Buffer[] = []
        reply.on('data', (part) => parts.push(part))
        reply.on('end', () => {
          const all = Buffer.concat(parts)
          const text = all.toString()
          resolve({
            status: reply.statusCode!,
            headers: reply.headers,
            body: all,
            text,
            json: () => JSON.parse(text),
          })
        })
        reply.on('error', reject)
      },
    )
    asked.on('error', reject)
    asked.end(body)
  })
}
