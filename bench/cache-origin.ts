/**
 * The origin of the cache benches: `cache-origin.ts PORT`. `/OCTETS/NAME` has so many octets, with `?wait=MS` after some
 * time; `/count` says how often it was asked.
 */
import { createServer } from 'node:http'

const PIECE = Buffer.alloc(65_536, 'portico ')
let count = 0

createServer((request, response) => {
  if (request.url === '/count') {
    response.end(String(count))
    return
  }
  count++
  const octets = Number(request.url!.split('/')[1]) || 1024
  response.writeHead(200, {
    'Cache-Control': 'max-age=3600',
    'Content-Type': 'application/octet-stream',
    ETag: `"${octets}"`,
    'Content-Length': octets,
  })
  let left = octets
  const more = (): void => {
    while (left > 0) {
      const piece = PIECE.subarray(0, Math.min(left, PIECE.length))
      left -= piece.length
      if (!response.write(piece)) {
        response.once('drain', more)
        return
      }
    }
    response.end()
  }
  const waitMs = Number(/\?wait=(\d+)/.exec(request.url!)?.[1] ?? 0)
  if (waitMs === 0) more()
  else setTimeout(more, waitMs)
}).listen(Number(process.argv[2]), '127.0.0.1')
