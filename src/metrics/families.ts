/** What a family of series counts: `counter` only grows, `gauge` goes both ways, `info` is always 1. */
export type FamilyType = 'counter' | 'gauge' | 'histogram' | 'info'

export type Family = {
  readonly type: FamilyType
  readonly help: string
  /** none when absent */
  readonly labels?: readonly string[]
  /** how samples of several data planes become one; the sum when absent */
  readonly merge?: 'max'
}

/**
 * Every family that Portico has, by its name without `_total` and `_info`.
 *
 * Units are the base units of Prometheus: seconds and octets, which its conventions call bytes.
 */
export const families = {
  portico_http_requests: {
    type: 'counter',
    help: 'Requests answered, by class of status; "none" when no answer was sent.',
    labels: ['host', 'route', 'class'],
  },
  portico_http_request_duration_seconds: {
    type: 'histogram',
    help: 'From the head of a request to the last octet of its response.',
    labels: ['host', 'route'],
  },
  portico_http_first_octet_seconds: {
    type: 'histogram',
    help: 'From the head of a request to the head of its response.',
    labels: ['host', 'route'],
  },
  portico_http_sent_bytes: {
    type: 'counter',
    help: 'Octets of content sent to clients.',
    labels: ['host', 'route'],
  },
  portico_http_received_bytes: {
    type: 'counter',
    help: 'Octets of content received from clients.',
    labels: ['host', 'route'],
  },
  portico_http_refused_requests: {
    type: 'counter',
    help: 'Requests that a limit refused: rate (429), connections or memory (503).',
    labels: ['host', 'route'],
  },
  portico_http_unread_requests: {
    type: 'counter',
    help: 'Requests answered before a route was known, because their head could not be accepted.',
  },
  portico_http_requests_in_flight: { type: 'gauge', help: 'Requests under way.' },
  portico_http_transfers: { type: 'gauge', help: 'Responses that are being sent.' },
  portico_http_paused_transfers: {
    type: 'gauge',
    help: 'Of these, the ones whose client has taken nothing for a second or more.',
  },
  portico_http_ahead_bytes: {
    type: 'gauge',
    help: 'Octets that were read for responses and that their clients have not taken.',
  },
  portico_http_connections: { type: 'gauge', help: 'Open connections of clients.' },
  portico_http_connections_accepted: { type: 'counter', help: 'Connections of clients.' },
  portico_http_connections_refused: {
    type: 'counter',
    help: 'Connections closed at once, because there were too many.',
  },
  portico_http_read_bytes: {
    type: 'counter',
    help: 'All octets read from clients, heads and content, after TLS.',
  },
  portico_http2_streams: { type: 'counter', help: 'Requests that came over HTTP/2.' },
  portico_tls_handshakes: {
    type: 'counter',
    help: 'TLS handshakes, by how they ended: full, resumed or failed.',
    labels: ['result'],
  },
  portico_origin_requests: {
    type: 'counter',
    help: 'Requests sent to an origin, with those sent again.',
    labels: ['origin'],
  },
  portico_origin_failures: {
    type: 'counter',
    help: 'Requests to an origin without an answer, or with one of 5xx.',
    labels: ['origin'],
  },
  portico_origin_retries: {
    type: 'counter',
    help: 'Requests that an origin got after another attempt had failed.',
    labels: ['origin'],
  },
  portico_origin_response_seconds: {
    type: 'histogram',
    help: 'From a request to an origin to the head of its response.',
    labels: ['origin'],
  },
  portico_origin_connects: { type: 'counter', help: 'Connections opened to an origin.', labels: ['origin'] },
  portico_origin_connect_failures: {
    type: 'counter',
    help: 'Connections to an origin that could not be opened.',
    labels: ['origin'],
  },
  portico_origin_connections: {
    type: 'gauge',
    help: 'Open connections to an origin, by state: busy or idle.',
    labels: ['origin', 'state'],
  },
  portico_origin_waiting_requests: {
    type: 'gauge',
    help: 'Requests that wait for a connection to an origin.',
    labels: ['origin'],
  },
  portico_origin_up: {
    type: 'gauge',
    help: '1 while an origin is asked; 0 while a circuit, its health or failed connects keep requests away.',
    labels: ['origin', 'worker'],
  },
  portico_origin_circuit_open: {
    type: 'gauge',
    help: '1 while requests stay away because too many in a row have failed.',
    labels: ['origin', 'worker'],
  },
  portico_dns_queries: {
    type: 'counter',
    help: 'DNS queries answered, by transport and type of the question.',
    labels: ['transport', 'type'],
  },
  portico_dns_responses: {
    type: 'counter',
    help: 'DNS answers, by transport and rcode.',
    labels: ['transport', 'rcode'],
  },
  portico_dns_dropped_queries: {
    type: 'counter',
    help: 'DNS messages that got no answer: no queries, or an answer that could not be sent.',
  },
  portico_dns_truncated_responses: { type: 'counter', help: 'DNS answers cut to fit (TC).' },
  portico_dns_tcp_connections: { type: 'gauge', help: 'Open DNS connections over TCP.' },
  portico_dns_transfers: {
    type: 'counter',
    help: 'Transfers of zones, by direction (in, out) and by what came of them.',
    labels: ['direction', 'result'],
  },
  portico_dns_updates: { type: 'counter', help: 'Dynamic updates, by rcode.', labels: ['rcode'] },
  portico_dns_copied_zones: {
    type: 'gauge',
    help: 'Zones that are copied from a primary, by state: current, expired.',
    labels: ['state'],
  },
  portico_dns_pool_member_up: {
    type: 'gauge',
    help: '1 while a member of a pool answers its checks.',
    labels: ['pool', 'member'],
  },
  portico_dns_aliases: {
    type: 'gauge',
    help: 'Names with an ALIAS, by what is known of the target: fresh, stale (last known good).',
    labels: ['state'],
  },
  portico_dnssec_zones: {
    type: 'gauge',
    help: 'Signed zones, by the phase of their key.',
    labels: ['phase'],
  },
  portico_dnssec_signatures: {
    type: 'counter',
    help: 'Signatures made for answers, and those held back beyond the limit a second.',
    labels: ['result'],
  },
  portico_access_log_dropped_lines: {
    type: 'counter',
    help: 'Lines of the access log that the disk did not take in time.',
  },
  portico_trace_dropped_spans: {
    type: 'counter',
    help: 'Spans that were not exported, because the queue was full or the collector did not take them.',
  },
  portico_process_restarts: {
    type: 'counter',
    help: 'How often a program of "run" was started again.',
    labels: ['process'],
  },
  portico_process_up: { type: 'gauge', help: '1 while a program of "run" answers.', labels: ['process'] },
  portico_reloads: {
    type: 'counter',
    help: 'Reloads of the file, by result: ok or failed.',
    labels: ['result'],
  },
  portico_config_last_reload_successful: {
    type: 'gauge',
    help: '1 when the last file that was read is the one served.',
  },
  portico_config_last_reload_timestamp_seconds: {
    type: 'gauge',
    help: 'When a file was last put to use, in seconds since 1970.',
  },
  portico_config: { type: 'info', help: 'The Plan that is served, by its hash.', labels: ['key'] },
  portico_build: { type: 'info', help: 'Versions.', labels: ['version', 'node'] },
  portico_cache_requests: {
    type: 'counter',
    help: 'Requests to routes with a cache, by what came of them.',
    labels: ['result'],
  },
  portico_cache_fetches: {
    type: 'counter',
    help: 'Requests of caches to services, also in the background and for parts.',
  },
  portico_cache_saved_bytes: { type: 'counter', help: 'Content that services did not have to send.' },
  portico_cache_objects: { type: 'gauge', help: 'Responses and parts that are kept.' },
  portico_cache_bytes: { type: 'gauge', help: 'What they take.', labels: ['tier'] },
  portico_cache_budget_bytes: { type: 'gauge', help: 'What they may take.', labels: ['tier'] },
  portico_cache_disk_up: { type: 'gauge', help: '0 while the disk cannot be used.' },
  portico_cache_evictions: { type: 'counter', help: 'Responses that made room for others.' },
  portico_cache_purged: { type: 'counter', help: 'Responses that purges named.' },
  portico_cache_reads: { type: 'counter', help: 'Bodies read, by where they lay.', labels: ['tier'] },
  portico_media_sessions: {
    type: 'gauge',
    help: 'Players that said within the last minute who they are (CMCD), by state: playing or starving.',
    labels: ['state'],
  },
  portico_media_starved_requests: {
    type: 'counter',
    help: 'Requests of players whose buffer had run empty (CMCD).',
  },
  portico_media_rendered_objects: {
    type: 'counter',
    help: 'Segments, indexes and such that were made of films; what is kept already is not counted.',
  },
  portico_media_rendered_ahead: {
    type: 'counter',
    help: 'Of these, the ones that a player said it would ask for next.',
  },
  portico_media_index_bytes: {
    type: 'gauge',
    help: 'Indexes of films in the memory of all workers; each may have a quarter of cache.memory.',
  },
  portico_live_up: {
    type: 'gauge',
    help: '1 while an encoder sends the stream, 0 while it waits for one or is over.',
    labels: ['stream'],
  },
  portico_live_bits_per_second: {
    type: 'gauge',
    help: 'Of all tracks of a stream together, over what can be played.',
    labels: ['stream'],
  },
  portico_live_encoders: {
    type: 'gauge',
    help: 'Encoders that a broadcast has had: more than one came back.',
    labels: ['stream'],
  },
  portico_live_viewers: {
    type: 'gauge',
    help: 'Who has asked for the stream in the last 20 seconds: addresses and programs.',
    labels: ['stream'],
  },
  portico_live_window_seconds: { type: 'gauge', help: 'What of a stream can be played.', labels: ['stream'] },
  portico_live_window_bytes: { type: 'gauge', help: 'What that takes on disk.', labels: ['stream'] },
  portico_event_loop_delay_seconds: {
    type: 'gauge',
    help: 'How late timers ran in the last seconds: the median, 99th percentile and worst.',
    labels: ['worker', 'quantile'],
  },
  portico_heap_bytes: { type: 'gauge', help: 'Memory of JavaScript objects.', labels: ['worker'] },
  process_resident_memory_bytes: { type: 'gauge', help: 'Memory of the process.', merge: 'max' },
  process_cpu_seconds: { type: 'counter', help: 'Processor time of the process.', merge: 'max' },
  process_start_time_seconds: {
    type: 'gauge',
    help: 'When the process began, in seconds since 1970.',
    merge: 'max',
  },
} as const

export type FamilyName = keyof typeof families
