import type { CountMemory } from '#access/connection-counts.ts'
import type { BucketMemory } from '#access/limiters.ts'
import type { Shown } from '#acme/present.ts'
import type { BucketRequest, Outcome } from '#bucket/store/change.ts'
import type { StoreHandle } from '#cache/store/shared.ts'
import type { Verdict } from '#cache/verdicts.ts'
import type { LogLevel, LogValue } from '#core/log.ts'
import type { ZoneKeys } from '#dns/dnssec/plan.ts'
import type { ZoneImage } from '#dns/image.ts'
import type { DnsOverlay } from '#dns/overlay-plan.ts'
import type { DnsPlan } from '#dns/plan.ts'
import type { Errand, ErrandReply } from '#dns/transfer/gate.ts'
import type { ZoneNews } from '#dns/transfer/members.ts'
import type { TsigKeys } from '#dns/wire/tsig.ts'
import type { OriginCheck } from '#http/origin/origins.ts'
import type { HttpPlan } from '#http/plan.ts'
import type { Transfers } from '#http/transfer.ts'
import type { Refusal } from '#http/wire/refusal.ts'
import type { AccessRecord } from '#log/record.ts'
import type { LiveFeed, LiveReply, LiveRequest, LiveTold } from '#media/live/request.ts'
import type { Audience } from '#media/live/view/viewers.ts'
import type { Session } from '#media/sessions.ts'
import type { BusyKey } from '#metrics/busiest.ts'
import type { Sample } from '#metrics/sample.ts'
import type { ListenerPlan } from '#plan/listeners.ts'
import type { ObservePlan } from '#plan/observe.ts'
import type { Issued } from '#tls/issuer.ts'
import type { TlsPlan } from '#tls/plan.ts'
import type { ClientRoots } from '#tls/store.ts'
import type { Warmed } from './cache-control.ts'
import type { Snapshot } from './snapshot.ts'

/** What a data worker is started with, whatever the Plan. */
export type WorkerSetup = {
  /** 0 up to one less than `workers`; the one that takes its place gets the same */
  readonly worker: number
  readonly workers: number
  /** folder of the file: relative paths start here */
  readonly folder: string
  /** the main thread wants each record of the access log */
  readonly tellsRequests: boolean
  readonly shared: SharedMemory
}

/** Memory that all threads see. Made once by the main thread, which also takes out what a dead worker left there. */
export type SharedMemory = { readonly buckets: BucketMemory; readonly connections: CountMemory }

/** What a worker serves: its part of a Plan, and what belongs to it at this moment. */
export type DataSlice = TlsSlice & {
  readonly dns: DnsPlan
  readonly http: HttpPlan
  readonly observe: ObservePlan
  readonly listeners: readonly ListenerSlice[]
  /** of each zone, by its id */
  readonly serials: ReadonlyMap<string, number>
  /** by the key of a zone: those whose RRsets are in memory that all threads share, and not among the Plan's */
  readonly images: ReadonlyMap<string, ZoneImage>
  /** what signs zones, whose records are among theirs already */
  readonly keys: ZoneKeys
  /** with their secrets */
  readonly tsigKeys: TsigKeys
  /** by id; others are asked for when they are needed */
  readonly certificates: ReadonlyMap<string, Issued>
  /** What is told again when it changes holds as soon as a slice is there, so that nothing older replaces it. */
  readonly ports: ProcessPorts
  readonly ticketKey: Uint8Array
  readonly shown: Shown
  /** of DNS cookies, the one in use first */
  readonly cookieKeys: readonly Uint8Array[]
  readonly dnsOverlay: DnsOverlay
  /** what is in the file of places, in memory that all threads share */
  readonly places: Uint8Array | null
  /** where routes keep responses; null while none does */
  readonly cache: StoreHandle | null
}

/** What handshakes need of a Plan. */
export type TlsSlice = {
  /** with the names that were granted on demand */
  readonly tls: TlsPlan
  readonly clientRoots: ClientRoots
}

/** An address to listen on. The worker's own sockets are open already, or it opens a port that workers share. */
export type ListenerSlice = ListenerPlan & { readonly sockets: WorkerSockets | null }

/** Descriptors that belong to the main thread: to be duplicated. `udp` is there for DNS. */
export type WorkerSockets = { readonly tcp: number; readonly udp?: number }

/** Where each process answers, by its id; `null` while it does not. */
export type ProcessPorts = ReadonlyMap<string, number | null>

export type LogRecord = {
  readonly level: LogLevel
  readonly event: string
  readonly fields?: Readonly<Record<string, LogValue>>
}

/** What the main thread asks of a worker. */
export type WorkerProcedures = {
  /** The first call; others follow. */
  readonly start: (setup: WorkerSetup) => void
  readonly ping: (nothing: null) => null
  /** Open, compile; a worker that cannot says why, and nothing has happened. */
  readonly prepare: (slice: DataSlice) => Promise<null>
  /** Put what was prepared to use, in one tick. */
  readonly commit: (nothing: null) => void
  /** Forget what was prepared. */
  readonly abort: (nothing: null) => void
  /** Listen for workers that do not serve at this moment, too; these and no others. */
  readonly adopt: (listeners: readonly ListenerSlice[]) => Promise<null>
  readonly ports: (ports: ProcessPorts) => void
  readonly certificate: (renewed: { readonly id: string; readonly issued: Issued }) => void
  readonly ticketKey: (key: Uint8Array) => void
  /** Names were granted on demand. */
  readonly tls: (slice: TlsSlice) => void
  /** What authorities look at now. */
  readonly shown: (shown: Shown) => void
  readonly cookieKeys: (keys: readonly Uint8Array[]) => void
  readonly dnsOverlay: (overlay: DnsOverlay) => void
  readonly checked: (check: OriginCheck) => void
  /** Other versions of zones that are served, or other zones. */
  readonly zones: (news: ZoneNews) => void
  /** What happens to a live stream. */
  readonly live: (told: LiveTold) => void
  /** Octets of an encoder that came to another thread. */
  readonly feed: (feed: LiveFeed) => Promise<Refusal | null>
  /** who watches live streams */
  readonly viewers: (nothing: null) => Audience[]
  readonly snapshot: (nothing: null) => Snapshot
  readonly samples: (nothing: null) => Sample[]
  readonly busyClients: (nothing: null) => BusyKey[]
  /** why caches did not keep what came last, by key */
  readonly verdicts: (nothing: null) => [string, Verdict][]
  /** responses under way */
  readonly transfers: (nothing: null) => Transfers
  readonly sessions: (nothing: null) => Session[]
  readonly reopenLog: (nothing: null) => void
  /** Ask for a URL as a client would. */
  readonly warm: (query: string) => Promise<Warmed>
  /** No new connections; answered when those that are open have ended, or the deadline is over. */
  readonly stop: (deadlineMs: number) => Promise<null>
}

/** What a worker asks of the main thread. */
export type MainProcedures = {
  /** The certificate of a node of the Plan, with its key. */
  readonly certificate: (id: string) => Promise<Issued | null>
  /** A client asks for a name that no certificate has. @returns whether there is one now */
  readonly grant: (name: string) => Promise<boolean>
  readonly checked: (check: OriginCheck) => void
  /** Change a bucket: there is one writer, whichever worker was asked. */
  readonly bucket: (request: BucketRequest) => Promise<Outcome>
  /** What is on air, and what an encoder brings. */
  readonly live: (request: LiveRequest) => Promise<LiveReply>
  /** What moves or changes a zone. */
  readonly errand: (errand: Errand) => Promise<ErrandReply>
  readonly errandMore: (more: number) => Promise<ErrandReply>
  readonly log: (records: readonly LogRecord[]) => void
  readonly access: (records: readonly AccessRecord[]) => void
}
