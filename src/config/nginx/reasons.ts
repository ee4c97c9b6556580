import type { Directive } from './parse.ts'

export type Reason = { readonly level: 'dropped' | 'not understood'; readonly message: string }

/**
 * Why a directive that nothing was made of is not in the file: a known reason, or that it is not understood.
 *
 * @example reasonFor(gzip) // { level: 'dropped', message: 'Portico chooses itself …' }
 */
export function reasonFor(directive: Directive): Reason {
  const { name } = directive
  if (name === 'proxy_set_header') return reasonForHeader(directive)
  if (name === 'map') return reasonForMap(directive)
  const known = REASONS.find(([pattern]) => pattern.test(name))
  if (known !== undefined) return { level: known[1], message: known[2] }
  return {
    level: 'not understood',
    message: `Portico has nothing that stands for ${name}.${inside(directive)}`,
  }
}

/** Names what went with a block. */
export function inside(directive: Directive): string {
  const names = [...new Set((directive.block ?? []).map((inner) => inner.name))]
  if (names.length === 0) return ''
  const more = names.length > 6 ? ` and ${names.length - 6} more` : ''
  return ` With it go: ${names.slice(0, 6).join(', ')}${more}.`
}

function reasonForHeader({ args: [field = '', value = ''] }: Directive): Reason {
  if (/^(x-real-ip|x-forwarded-.*|x-original-.*|forwarded|upgrade|connection|early-data)$/i.test(field)) {
    return {
      level: 'dropped',
      message: `Portico sets or passes ${field} itself: the origin hears who asked, and WebSockets work.`,
    }
  }
  if (/^host$/i.test(field) && /^\$(host|http_host|server_name)(:\$server_port)?$/.test(value)) {
    return { level: 'dropped', message: 'Portico passes Host on as it came.' }
  }
  return {
    level: 'not understood',
    message: `The origin no longer gets ${field}: ${value}; "headers" sets it.`,
  }
}

function reasonForMap(map: Directive): Reason {
  if (map.args[0] === '$http_upgrade')
    return { level: 'dropped', message: 'Portico passes WebSockets on by itself.' }
  return {
    level: 'not understood',
    message: `What depends on ${map.args[1] ?? 'this map'} is not carried over.${inside(map)}`,
  }
}

const LOGS = 'What Portico logs is set under "log" for all hosts.'
const TLS = 'Portico makes the certificates and chooses versions and ciphers itself.'
const ACCESS = 'Access rules are not carried over.'

/** The first pattern that fits a directive's name says why it is not carried over. */
const REASONS: readonly (readonly [RegExp, Reason['level'], string])[] = [
  [
    /^(user|worker_.*|pid|events|daemon|master_process|pcre_jit|thread_pool|env|lock_file|timer_resolution)$/,
    'dropped',
    'It is about nginx as a program.',
  ],
  [/^load_module$/, 'dropped', 'Portico has no modules; what the module did is noted where it was used.'],
  [
    /^(stream|mail)$/,
    'not understood',
    'Only HTTP is carried over; these ports must be served by something else.',
  ],
  [
    /^(access_log|error_log|log_format|log_not_found|log_subrequest|open_log_file_cache|rewrite_log)$/,
    'dropped',
    LOGS,
  ],
  [
    /^ssl_(verify_client|client_certificate|trusted_client_.*|crl)$/,
    'not understood',
    'Client certificates are not carried over.',
  ],
  [/^(ssl|ssl_.*|http2.*|http3.*|quic_.*)$/, 'dropped', TLS],
  [
    /^(types|default_type|types_hash_.*|charset.*|source_charset|override_charset)$/,
    'dropped',
    'Portico knows the media types of files.',
  ],
  [
    /^(sendfile.*|tcp_no(push|delay)|aio.*|directio.*|open_file_cache.*|output_buffers|read_ahead|postpone_output|subrequest_output_.*|(server_names|variables|map|proxy_headers)_hash_.*|connection_pool_size|request_pool_size|lingering_.*|reset_timedout_.*|max_ranges|etag|if_modified_since)$/,
    'dropped',
    'Portico chooses for itself how octets are moved.',
  ],
  [
    /^(keepalive.*|send_timeout|client_(header|body)_timeout|proxy_(connect|read|send)_timeout|resolver_timeout|proxy_socket_keepalive)$/,
    'dropped',
    'Timeouts are set under "limits" for all hosts.',
  ],
  [
    /^(client_header_buffer_size|large_client_header_buffers|client_body_.*|ignore_invalid_headers|underscores_in_headers|merge_slashes)$/,
    'dropped',
    'Bounds on requests are set under "limits" for all hosts.',
  ],
  [/^client_max_body_size$/, 'dropped', 'Bounds on requests are set under "limits" for all hosts.'],
  [
    /^(server_tokens|server_name_in_redirect|port_in_redirect|absolute_redirect|msie_.*|chunked_transfer_encoding)$/,
    'dropped',
    'Portico does not do this, or does it in the only right way.',
  ],
  [/^resolver$/, 'dropped', 'Names of origins are resolved by the system.'],
  [
    /^(proxy_http_version|proxy_(request_)?buffering|proxy_buffer.*|proxy_busy_buffers_size|proxy_max_temp_file_size|proxy_temp_.*|proxy_headers_hash_.*|proxy_ignore_client_abort|proxy_pass_request_.*)$/,
    'dropped',
    'Portico streams both ways over kept connections, with back-pressure.',
  ],
  [
    /^proxy_redirect$/,
    'dropped',
    'The origin sees the name that was asked for, so its redirects need no change.',
  ],
  [/^proxy_next_upstream.*$/, 'dropped', 'Portico decides itself when another origin may be tried.'],
  [
    /^proxy_ssl_.*$/,
    'not understood',
    'How an https origin is verified is written as { "url": …, "verify": … }.',
  ],
  [/^proxy_cache_path$/, 'dropped', '"cache" at the top of the file says how much is kept, and where.'],
  [
    /^proxy_cache_(lock.*|methods|min_uses|purge|revalidate|background_update)$/,
    'dropped',
    'One request is sent however many ask, stale answers are validated, and GET and HEAD are kept.',
  ],
  [
    /^proxy_cache_use_stale$/,
    'not understood',
    'What is answered stale is said by "cache": { "stale": { "revalidate": …, "error": …, "down": … } }.',
  ],
  [
    /^(proxy_cache.*|proxy_store.*|proxy_no_cache|slice|fastcgi_cache.*|uwsgi_cache.*)$/,
    'not understood',
    'Caching is not carried over.',
  ],
  [
    /^(gzip.*|gunzip.*|brotli.*|zstd.*)$/,
    'dropped',
    'Portico chooses itself what is compressed, and how; "compress" turns it on.',
  ],
  [
    /^(expires|add_header|add_trailer|more_(set|clear)_.*|proxy_(hide|pass|ignore)_header(s)?)$/,
    'not understood',
    'This field of answers is not carried over; "headers" takes it.',
  ],
  [
    /^(auth_.*|allow|deny|satisfy|limit_except|internal|valid_referers|secure_link.*)$/,
    'not understood',
    ACCESS,
  ],
  [/^limit_(req|conn)_(status|log_level|dry_run)$/, 'dropped', 'Refusals are 429, and in the access log.'],
  [
    /^(limit_(req|conn|rate).*)$/,
    'not understood',
    'What is counted by something else than the client is not carried over; "limits" bounds what one client asks.',
  ],
  [
    /^(real_ip_.*|set_real_ip_from)$/,
    'not understood',
    'Proxies in front of Portico are named under "trust".',
  ],
  [
    /^(error_page|proxy_intercept_errors|recursive_error_pages)$/,
    'not understood',
    'This error page is not carried over; "errors" takes files.',
  ],
  [
    /^(rewrite|if|set|break)$/,
    'not understood',
    'Rewriting is not carried over; write a route for each case, with "strip" or "rewrite".',
  ],
  [
    /^(fastcgi|uwsgi|scgi|memcached)_.*$/,
    'not understood',
    'Portico speaks HTTP to origins; put a server that speaks HTTP in front and name it as "service".',
  ],
  [/^grpc_.*$/, 'dropped', 'Portico streams calls of gRPC both ways; limits stand under "limits".'],
  [/_by_lua/, 'not understood', 'Lua code is not carried over.'],
  [
    /^(autoindex.*|fancyindex.*)$/,
    'dropped',
    'A listing has a form of its own; "listing" of files turns it on.',
  ],
  [/^(stub_status|status|status_zone)$/, 'dropped', 'Portico has its own status, on the admin address.'],
  [
    /^(least_conn|ip_hash|hash|random|zone|queue|sticky.*|health_check|check.*|ntlm)$/,
    'not understood',
    'Portico has no such policy; "policy" and "health" of the service say what it has.',
  ],
  [/^(location|return)$/, 'dropped', 'Nothing that is carried over leads here.'],
  [/^(http|server|upstream)$/, 'not understood', 'This block stands where nginx does not allow it.'],
]
