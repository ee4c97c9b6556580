/** A purge by tag in Varnish, whose module xkey knows tags: over HTTP, as it is asked there. */
import { globSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { peer } from '../test/peers.ts'
import { freePort } from '../test/ports.ts'
import { createGround, startPeer } from './ground.ts'
import { CLIENT_CORE, pin, runPinned, SERVER_CORE, waitForPort } from './peers.ts'

/** Makes its objects itself: no origin could, in a short time. */
const VCL = `vcl 4.1;
import xkey;
backend default none;
sub vcl_recv {
  if (req.method == "PURGE") { return (synth(200, "purged " + xkey.purge(req.http.key))); }
  return (hash);
}
sub vcl_backend_error {
  set beresp.status = 200;
  set beresp.ttl = 1h;
  set beresp.http.xkey = regsub(bereq.url, "^/(\\d+)/.*", "tag\\1");
  set beresp.body = "${'x'.repeat(100)}";
  return (deliver);
}
`

/** Asks for one object after the other. */
const LUA = `local n = 0
function init(args) tags = tonumber(args[1]) end
function request() n = n + 1; return wrk.format("GET", "/" .. (n % tags) .. "/" .. n) end
`

/**
 * Fill Varnish, and purge one tag after the other.
 *
 * @returns how long each took in milliseconds, and how many objects it named; null when Varnish, its module or wrk is missing
 * @throws {Error} when it does not start, or names none
 */
export async function purgeVarnish(
  objects: number,
  tags: number,
  rounds: number,
): Promise<{ readonly ms: number[]; readonly named: number } | null> {
  const [varnish, wrk] = [peer('varnishd'), peer('wrk')]
  const hasTags = globSync('/usr/lib/*/varnish/vmods/libvmod_xkey.so').length > 0
  if (varnish === undefined || wrk === undefined || !hasTags) return null
  const ground = await createGround('purge', [])
  try {
    const port = await freePort()
    const [vcl, lua] = [join(ground.folder, 'purge.vcl'), join(ground.folder, 'fill.lua')]
    await Promise.all([writeFile(vcl, VCL), writeFile(lua, LUA)])
    const words = ['-F', '-n', join(ground.folder, 'varnish'), '-a', `127.0.0.1:${port}`, '-f', vcl]
    await startPeer(ground, SERVER_CORE, varnish, ...words, '-s', 'malloc,4g', '-j', 'none')
    await waitForPort(port, 30_000)
    const url = `http://127.0.0.1:${port}/`
    const filler = await pin(CLIENT_CORE, wrk, ['-t1', '-c32', '-d600', '-s', lua, url, '--', `${tags}`])
    while ((await countObjects(join(ground.folder, 'varnish'))) < objects) await sleep(200)
    await filler.stop()
    const ms: number[] = []
    let named = 0
    for (let tag = 0; tag < rounds; tag++) {
      const started = performance.now()
      const { statusText } = await fetch(url, { method: 'PURGE', headers: { key: `tag${tag}` } })
      ms.push(performance.now() - started)
      named = Number(/^purged (\d+)$/.exec(statusText)?.[1])
      if (!(named > 0)) throw new Error(`Varnish purged nothing: ${statusText}`)
    }
    return { ms, named }
  } finally {
    await ground.leave()
  }
}

async function countObjects(folder: string): Promise<number> {
  const said = await runPinned(CLIENT_CORE, 'varnishstat', ['-1', '-n', folder, '-f', 'MAIN.n_object'])
  return Number(/n_object +(\d+)/.exec(said)?.[1])
}
