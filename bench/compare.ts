import { cpuSeconds, interleave, median, type Peer } from './peers.ts'

/** A server that is measured. */
export type Contender = { readonly port: number; readonly peer: Peer }

/** What one round has done. */
export type Round = { readonly requests: number; readonly seconds: number }

export type Figures = {
  readonly requestsPerSecond: number
  /** processor time of the server for a request, in user and kernel mode */
  readonly cpuMicroseconds: number
}

/**
 * Measure servers in turns: medians of `rounds` rounds each, after one that is not counted.
 *
 * @param load one round against a port
 */
export async function compare<Name extends string>(
  contenders: Readonly<Record<Name, Contender>>,
  rounds: number,
  load: (port: number) => Promise<Round>,
): Promise<Record<Name, Figures>> {
  const names = Object.keys(contenders) as Name[]
  const cpu = new Map<Name, number[]>(names.map((name) => [name, []]))
  const measure = async (name: Name): Promise<number> => {
    const { requestsPerSecond, cpuMicroseconds } = await measureRound(contenders[name], load)
    cpu.get(name)!.push(cpuMicroseconds)
    return requestsPerSecond
  }
  // The first seconds are the compiler's.
  for (const name of names) await measure(name)
  for (const figures of cpu.values()) figures.length = 0
  const rates = await interleave(names, rounds, measure)
  const figures = names.map((name): [Name, Figures] => [
    name,
    {
      requestsPerSecond: round(median(rates[name])),
      cpuMicroseconds: round(median(cpu.get(name)!)),
    },
  ])
  return Object.fromEntries(figures) as Record<Name, Figures>
}

/** One round against one server. */
export async function measureRound(
  { port, peer }: Contender,
  load: (port: number) => Promise<Round>,
): Promise<Figures & { readonly requests: number }> {
  const before = cpuSeconds(peer.pid)
  const { requests, seconds } = await load(port)
  const cpuMicroseconds = ((cpuSeconds(peer.pid) - before) * 1e6) / requests
  return { requests, requestsPerSecond: requests / seconds, cpuMicroseconds }
}

/** Ours / theirs, requests per second. */
export function ratio(ours: Figures, theirs: Figures): number {
  return round(ours.requestsPerSecond / theirs.requestsPerSecond)
}

/** Four digits are more than any of these figures deserves. */
export function round(value: number): number {
  return Number(value.toPrecision(4))
}
