import type { Finding } from '#core/finding.ts'
import { formatDuration } from '#core/units.ts'
import { type ListenerPlan, printSocket } from '#plan/listeners.ts'
import { wayOut } from '#run/listen/failure.ts'
import type { PortRow } from '#run/listen/ports.ts'
import type { TrustStep } from '#tls/trust-steps.ts'

/** What `portico doctor` must know of this machine; gathered in machine.ts. */
export type MachineFacts = {
  readonly listeners: readonly ListenerPlan[]
  readonly ports: readonly PortRow[]
  /** the first port that everyone may open; null where the system does not say */
  readonly freePortsFrom: number | null
  readonly mayOpenLowPorts: boolean
  /** open files that this user may have at most, and that the file's limits could need */
  readonly files: { readonly limit: number | null; readonly wanted: number }
  /** null: nobody on this machine says */
  readonly isClockSynchronized: boolean | null
  readonly now: number
  /** when this program was written to disk: the clock cannot be before that */
  readonly installedAt: number
  readonly publicAddresses: readonly string[]
  /** where records of hosts point */
  readonly addresses: readonly string[]
  /** null: certificates do not come from the local authority */
  readonly trust: readonly TrustStep[] | 'no root yet' | null
  readonly certificate: CertificateFacts
  /** what `check --live` says of delegations */
  readonly delegations: readonly Finding[]
}

/** The certificate that the running Portico shows for its first host, or who would issue one. */
export type CertificateFacts =
  | { readonly kind: 'no https' }
  | {
      readonly kind: 'shown'
      readonly host: string
      readonly issuer: string
      readonly validTo: number
      readonly handshakeMs: number
      /** from its order to it; null where none was ordered */
      readonly tookMs: number | null
    }
  /** `authority`: the first that would be asked; null: certificates are local */
  | { readonly kind: 'not running'; readonly authority: AuthorityFacts | null }
  | { readonly kind: 'failed'; readonly host: string; readonly why: string }

/** How an authority answers from here. */
export type AuthorityFacts = {
  readonly host: string
  /** how long one answer takes, or why there is none */
  readonly answer: number | string
}

/** Say of each thing that keeps people from a working start whether it is in order, and what to do if not. */
export function diagnose(facts: MachineFacts): Finding[] {
  return [
    lowPorts(facts),
    ...takenPorts(facts),
    openFiles(facts),
    clock(facts),
    ipv6(facts),
    ...trust(facts),
    ...facts.delegations,
    certificate(facts),
  ]
}

function lowPorts({ listeners, ports, freePortsFrom, mayOpenLowPorts }: MachineFacts): Finding {
  const what = 'low ports'
  const low = listeners.filter(({ port }) => port !== 0 && port < (freePortsFrom ?? 1024))
  const sockets = [...new Set(low.map(({ port }) => port))].join(', ')
  if (low.length === 0)
    return { what, level: 'ok', message: 'every port of the file is one that everyone may open.' }
  if (mayOpenLowPorts) return { what, level: 'ok', message: `this user may open ${sockets}.` }
  // A Portico that runs has them already, by its service manager or another user's right.
  const isOpen = low.every(({ address, port }) => {
    return ports.some(({ socket, state }) => socket === printSocket(address, port) && state === 'listens')
  })
  if (isOpen) return { what, level: 'ok', message: `the Portico that runs has ${sockets}.` }
  const message = `this user may not open ${sockets}.`
  const fix =
    '"portico install", or sudo setcap cap_net_bind_service=+ep "$(readlink -f "$(command -v node)")"'
  return { what, level: 'error', message, fix }
}

function takenPorts({ ports }: MachineFacts): Finding[] {
  const taken = ports.filter(({ state }) => state === 'taken')
  if (taken.length === 0) return [{ what: 'ports', level: 'ok', message: 'nothing is in the way.' }]
  return taken.map(({ transport, socket, use, holder }): Finding => {
    const what = `${transport} ${socket}`
    const isResolved = holder?.includes('(systemd-resolve') === true
    const message = isResolved
      ? `${use} wants it, and systemd-resolved answers the machine's own questions there.`
      : `${use} wants it, and ${holder} has it.`
    return { what, level: 'error', message, fix: wayOut(holder ?? undefined, use) }
  })
}

function openFiles({ files: { limit, wanted } }: MachineFacts): Finding {
  const what = 'open files'
  if (limit === null)
    return { what, level: 'unknown', message: 'this system does not say how many there may be.' }
  if (limit >= wanted)
    return { what, level: 'ok', message: `${limit} may be open; the limits of the file need ${wanted}.` }
  const message = `${limit} may be open, and the limits of the file need ${wanted}: connections beyond will fail.`
  return {
    what,
    level: 'warning',
    message,
    fix: `LimitNOFILE=${wanted} in the systemd unit ("portico install" writes it), or ulimit -n ${wanted}`,
  }
}

/** Certificates, signatures and tickets depend on the time. */
function clock({ isClockSynchronized, now, installedAt }: MachineFacts): Finding {
  const what = 'clock'
  const time = new Date(now).toISOString()
  const fix = 'timedatectl set-ntp true'
  if (now < installedAt)
    return {
      what,
      level: 'error',
      message: `it says ${time}, which was before this program was installed.`,
      fix,
    }
  if (isClockSynchronized === null)
    return { what, level: 'unknown', message: `it says ${time}; nobody here knows whether it is kept right.` }
  if (!isClockSynchronized)
    return {
      what,
      level: 'warning',
      message: `it says ${time}, and nothing keeps it right: certificates fail when it is wrong.`,
      fix,
    }
  return { what, level: 'ok', message: `it is kept right: ${time}.` }
}

function ipv6({ publicAddresses, addresses }: MachineFacts): Finding {
  const what = 'IPv6'
  const own = publicAddresses.filter((address) => address.includes(':'))
  const written = addresses.filter((address) => address.includes(':') && address !== '::1')
  if (own.length > 0 && written.length === 0)
    return {
      what,
      level: 'warning',
      message: `this machine has ${own[0]}, and no record points there: clients with IPv6 alone find nobody.`,
      fix: `add "${own[0]}" to "address"`,
    }
  if (own.length === 0 && written.length > 0)
    return {
      what,
      level: 'warning',
      message: `records point at ${written[0]}, and this machine has no public IPv6 address.`,
      fix: `take "${written[0]}" out of "address", or give the machine IPv6`,
    }
  return {
    what,
    level: 'ok',
    message:
      own.length > 0
        ? `records point at ${written.join(', ')}.`
        : 'neither this machine nor the file has it.',
  }
}

function trust({ trust: steps }: MachineFacts): Finding[] {
  if (steps === null) return []
  if (steps !== 'no root yet') return steps.map(trustOf)
  return [
    {
      what: 'trust',
      level: 'unknown',
      message: 'the local root is made at the first start; "portico trust" then makes it known.',
    },
  ]
}

function trustOf({ who, outcome, why }: TrustStep): Finding {
  const what = `trust of ${who}`
  if (outcome === 'nothing to do') return { what, level: 'ok', message: why ?? 'the local root is known.' }
  if (outcome === 'not possible') return { what, level: 'unknown', message: why ?? 'nobody can tell.' }
  return {
    what,
    level: 'warning',
    message: 'the local root is not known there: browsers warn.',
    fix: 'portico trust',
  }
}

const DAY_MS = 86_400_000

/** How far away a certificate is that clients accept. */
function certificate({ certificate: found, delegations, now }: MachineFacts): Finding {
  const what = 'certificate'
  if (found.kind === 'no https')
    return { what, level: 'ok', message: 'nothing listens for HTTPS, so none is needed.' }
  if (found.kind === 'failed')
    return {
      what,
      level: 'error',
      message: `${found.host} shows none: ${found.why}.`,
      fix: `portico explain https://${found.host}/`,
    }
  if (found.kind === 'shown') {
    const leftMs = found.validTo - now
    if (leftMs <= 0)
      return {
        what,
        level: 'error',
        message: `that of ${found.host} is over.`,
        fix: `portico explain https://${found.host}/`,
      }
    const left =
      leftMs < DAY_MS
        ? formatDuration(Math.floor(leftMs / 60_000) * 60_000)
        : `${Math.floor(leftMs / DAY_MS)} days`
    const took = found.tookMs === null ? '' : `, ${sayTime(found.tookMs)} after its order`
    const message = `${found.host} shows one of ${found.issuer}${took}, good for ${left}; the handshake took ${sayTime(found.handshakeMs)}.`
    return { what, level: 'ok', message }
  }
  return beforeTheStart(found.authority, delegations)
}

/** Answers that an order waits for, one after the other, and the least time that looking at a proof takes. */
const ORDER_ANSWERS = 12
const LOOK_MS = 1000

function beforeTheStart(authority: AuthorityFacts | null, delegations: readonly Finding[]): Finding {
  const what = 'certificate'
  if (authority === null)
    return { what, level: 'ok', message: 'the local authority issues one within the first handshake.' }
  const { host, answer } = authority
  if (typeof answer === 'string') {
    const message = `${host} cannot be asked for one from here: ${answer}.`
    return { what, level: 'error', message, fix: 'let this machine connect to it, or name another "issuer"' }
  }
  const inTheWay = delegations.filter(({ level }) => level === 'error').map(({ what: name }) => name)
  if (inTheWay.length > 0) {
    const message = `${host} issues none before this is mended: ${inTheWay.join(', ')}.`
    return { what, level: 'warning', message, fix: 'see above' }
  }
  const time = sayTime(ORDER_ANSWERS * answer + LOOK_MS)
  return {
    what,
    level: 'ok',
    message: `${host} answers in ${sayTime(answer)}, so the first is there some ${time} after the start.`,
  }
}

function sayTime(milliseconds: number): string {
  return milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`
}
