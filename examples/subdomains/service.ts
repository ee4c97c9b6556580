import { createServer } from 'node:http'

// A small service, as there are many behind one domain: it says who it is and what reached it.
const port = Number(process.env['PORT'] ?? process.argv[2])

const server = createServer((request, response) => {
  const lines = [
    `Service at port ${port}`,
    `${request.method} ${request.url}`,
    `Host: ${request.headers.host}`,
  ]
  for (const name of ['x-forwarded-for', 'x-forwarded-proto', 'via'])
    lines.push(`${name}: ${request.headers[name]}`)
  response.setHeader('Content-Type', 'text/plain; charset=utf-8').end(`${lines.join('\n')}\n`)
})
server.on('error', (error) => {
  process.stderr.write(`The service cannot listen on 127.0.0.1:${port}: ${error.message}\n`)
  process.exit(1)
})
server.listen(port, '127.0.0.1')
