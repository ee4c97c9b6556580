import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { peer } from '../test/peers.ts'
import { type Ground, startPeer } from './ground.ts'
import type { Peer } from './peers.ts'

/** Start nginx with one worker and what stands in its http block. */
export async function startNginx(ground: Ground, core: number, name: string, block: string): Promise<Peer> {
  const file = await writeNginx(ground, name, block)
  return startPeer(ground, core, peer('nginx')!, '-c', file, '-e', join(ground.folder, `${name}.log`))
}

/** Write the file of an nginx, for its start or before a reload. Returns the name of the file. */
export async function writeNginx({ folder }: Ground, name: string, block: string): Promise<string> {
  const file = join(folder, `${name}.conf`)
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${join(folder, `${name}-${kind}`)};`,
  )
  const text = `daemon off;
worker_processes 1;
pid ${join(folder, `${name}.pid`)};
error_log ${join(folder, `${name}.log`)} crit;
events { worker_connections 18000; }
http {
  access_log off;
  keepalive_requests 1000000000;
  ${paths.join('\n  ')}
  ${block}
}
`
  await writeFile(file, text)
  return file
}

/** A server that answers so many octets from memory: the origin behind a proxy. */
export function answerBlock(listen: string, octets: number): string {
  const answer = `default_type text/plain; return 200 "${'x'.repeat(octets)}";`
  return `server { ${listen} location / { ${answer} } }`
}

/** A proxy with the same duties as ours: who asked, and keep-alive on both sides. */
export function proxyBlock(listen: string, origin: number, more = ''): string {
  return `upstream origin { server 127.0.0.1:${origin}; keepalive 256; keepalive_requests 1000000000; }
  server {
    ${listen}
    location / {
      proxy_pass http://origin;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Host $host;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header Forwarded "for=$remote_addr;host=$host;proto=$scheme";
      proxy_set_header Via "1.1 nginx";
      add_header Via "1.1 nginx";
      ${more}
    }
  }`
}

/** Listen on a port of 127.0.0.1. */
export function listenPlain(port: number): string {
  return `listen 127.0.0.1:${port};`
}

/** Listen on a port of 127.0.0.1 with TLS, for HTTP/2 and HTTP/1.1. */
export function listenTls(port: number, { certificate, key }: Ground): string {
  return `listen 127.0.0.1:${port} ssl http2; ssl_certificate ${certificate}; ssl_certificate_key ${key};`
}
