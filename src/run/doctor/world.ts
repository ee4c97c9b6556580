import { connect } from 'node:net'
import { type Asked, askServer } from '#dns/ask.ts'
import { parentOf } from '#dns/records/names.ts'
import type { Message } from '#dns/wire/message.ts'
import { printName } from '#dns/wire/name.ts'
import { printRdata } from '#dns/wire/rdata.ts'
import { rcodeName, typeNumber } from '#dns/wire/types.ts'
import type { ResourceRecord } from '#dns/wire/writer.ts'
import type { Looks, PortSeen, Seen, ServerSeen, World, ZoneLooks, ZoneSeen } from '#plan/world.ts'

/** How the world is asked. */
export type WorldOptions = {
  readonly resolver: Asked
  /** port of name servers: 53 but in tests */
  readonly serverPort: number
  /** for everything together */
  readonly timeoutMs: number
}

/** One question may take a part of the whole time, so that a silent server leaves some for the others. */
const QUESTION_PART = 4
const QUESTION_LIMIT_MS = 3000
/** Questions that are under way at a time. */
const PARALLEL = 16
/** Name servers that are asked of one zone, and addresses of one server. */
const SERVER_LIMIT = 8

/** Look at what the world says of our zones; after the time is over the rest is not known. */
export async function lookAtWorld(looks: Looks, options: WorldOptions): Promise<World> {
  const asking = createAsking(options)
  const [zones, ports, pointers] = await Promise.all([
    Promise.all(looks.zones.map((zone) => lookAtZone(zone, asking))),
    Promise.all(
      looks.ports.map(async (port) => ({ ...port, said: await asking.reach(port) }) satisfies PortSeen),
    ),
    Promise.all(
      looks.pointers.map(async ({ name, address, host }) => ({
        address,
        host,
        names: await asking.find(name, 'PTR'),
      })),
    ),
  ])
  return { zones, ports, pointers }
}

type Asking = {
  /** Ask the resolver: data of one type. */
  find(name: string, type: string): Promise<Seen>
  /** Ask a name server itself. */
  server(address: string, name: string, type: string): Promise<Message | string>
  /** Open a connection: `open`, or why not. */
  reach(port: Looks['ports'][number]): Promise<string>
}

const NO_TIME = 'there was no time left to ask'

function createAsking({ resolver, serverPort, timeoutMs }: WorldOptions): Asking {
  const deadline = performance.now() + timeoutMs
  const waiting: (() => void)[] = []
  let under = 0

  async function inTurn<Value>(ask: (limitMs: number) => Promise<Value>): Promise<Value | string> {
    if (under >= PARALLEL) await new Promise<void>((resolve) => waiting.push(resolve))
    under++
    try {
      const leftMs = deadline - performance.now()
      const limitMs = Math.min(leftMs, QUESTION_LIMIT_MS, timeoutMs / QUESTION_PART)
      return limitMs < 1 ? NO_TIME : await ask(limitMs)
    } finally {
      under--
      waiting.shift()?.()
    }
  }

  return {
    async find(name, type) {
      const said = await inTurn((limitMs) =>
        askServer(resolver, { name, type, recursive: true, timeoutMs: limitMs }),
      )
      return typeof said === 'string' ? { failure: said } : seenIn(said, said.answer, type)
    },
    server: (address, name, type) =>
      inTurn((limitMs) =>
        askServer({ address, port: serverPort }, { name, type, recursive: false, timeoutMs: limitMs }),
      ),
    reach: ({ address, port }) => inTurn((limitMs) => openPort(address, port, limitMs)),
  }
}

function seenIn({ rcode }: Message, records: readonly ResourceRecord[], type: string): Seen {
  if (rcode !== 0 && rcode !== 3) return { failure: `the answer is ${rcodeName(rcode)}` }
  return { data: recordsOf(records, type).map(({ data }) => data) }
}

function recordsOf(records: readonly ResourceRecord[], type: string): { owner: string; data: string }[] {
  const number = typeNumber(type)
  return records
    .filter((record) => record.type === number)
    .map(({ owner, rdata }) => ({ owner: printName(owner).toLowerCase(), data: printRdata(number!, rdata) }))
}

async function lookAtZone(zone: ZoneLooks, asking: Asking): Promise<ZoneSeen> {
  const [ns, ds, parent, servers, caa, hosts] = await Promise.all([
    asking.find(zone.apex, 'NS'),
    asking.find(zone.apex, 'DS'),
    lookAtParent(zone.apex, asking),
    lookAtServers(zone, asking),
    lookForCaa(zone.apex, asking),
    Promise.all(
      zone.hosts.map(async (name) => ({
        name,
        A: await asking.find(name, 'A'),
        AAAA: await asking.find(name, 'AAAA'),
      })),
    ),
  ])
  return { apex: zone.apex, ns, ds, parent, servers, caa, hosts }
}

/** What the servers of the zone above say: the delegation that resolvers follow, with its glue (RFC 1034 §4.2.1). */
async function lookAtParent(apex: string, asking: Asking): Promise<ZoneSeen['parent']> {
  for (let above = parentOf(apex); above !== ''; above = above === '.' ? '' : parentOf(above) || '.') {
    const servers = await asking.find(above, 'NS')
    if ('failure' in servers) return servers
    if (servers.data.length === 0) continue
    for (const name of servers.data.slice(0, 3)) {
      const [address] = await addressesOf(name, asking)
      const said =
        address === undefined ? 'its address is not known' : await asking.server(address, apex, 'NS')
      if (typeof said === 'string') continue
      const records = [...said.answer, ...said.authority]
      const ns = recordsOf(records, 'NS')
        .filter(({ owner }) => owner === apex)
        .map(({ data }) => data)
      const glue = ['A', 'AAAA'].flatMap((family) => recordsOf(said.additional, family))
      return { server: name, ns, glue }
    }
    return { failure: `no server of ${above} answers from here` }
  }
  return { failure: 'nobody knows the zone above' }
}

/** Each name server of the zone, asked for its SOA: who serves it, and how new (RFC 1034 §4.3.5). */
async function lookAtServers({ apex, servers }: ZoneLooks, asking: Asking): Promise<ServerSeen[]> {
  const seen = servers.slice(0, SERVER_LIMIT).map(async ({ name, addresses }): Promise<ServerSeen[]> => {
    const found = addresses.length > 0 ? addresses : await addressesOf(name, asking)
    if (found.length === 0) return [{ name, address: null, said: { failure: 'its address is not known' } }]
    return Promise.all(
      found.slice(0, SERVER_LIMIT).map(async (address) => {
        const said = await asking.server(address, apex, 'SOA')
        if (typeof said === 'string') return { name, address, said: { failure: said } }
        const serial = recordsOf(said.answer, 'SOA')[0]?.data.split(' ')[2]
        if (!said.aa || serial === undefined)
          return { name, address, said: { failure: `it does not serve the zone (${rcodeName(said.rcode)})` } }
        return { name, address, said: { serial: Number(serial) } }
      }),
    )
  })
  return (await Promise.all(seen)).flat()
}

/** The closest CAA at or above a name, as authorities look for it (RFC 8659 §3). */
async function lookForCaa(apex: string, asking: Asking): Promise<ZoneSeen['caa']> {
  for (let name = apex; name !== '' && name !== '.'; name = parentOf(name)) {
    const seen = await asking.find(name, 'CAA')
    if ('failure' in seen) return seen
    if (seen.data.length > 0) return { owner: name, data: seen.data }
  }
  return { owner: apex, data: [] }
}

async function addressesOf(name: string, asking: Asking): Promise<string[]> {
  const found = await Promise.all(['A', 'AAAA'].map((family) => asking.find(name, family)))
  return found.flatMap((seen) => ('data' in seen ? seen.data : []))
}

function openPort(address: string, port: number, limitMs: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, address)
    socket.setTimeout(limitMs, () => end('no answer in time'))
    socket.once('connect', () => end('open'))
    socket.once('error', (error: NodeJS.ErrnoException) =>
      end(error.code === 'ECONNREFUSED' ? 'nothing listens there' : (error.code ?? error.message)),
    )

    function end(said: string): void {
      socket.destroy()
      resolve(said)
    }
  })
}
