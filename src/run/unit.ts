import { dirname, isAbsolute, resolve } from 'node:path'
import { type ListenerPlan, printSocket } from '#plan/listeners.ts'
import type { Plan } from '#plan/plan.ts'

/** What a systemd service of a file is made of. Paths are absolute. */
export type UnitInput = {
  readonly plan: Plan
  /** of the service, and of its user */
  readonly name: string
  /** program and script that run now */
  readonly node: string
  readonly script: string
  readonly file: string
  readonly folder: string
  readonly stateFolder: string
  readonly accessLog: string | null
  readonly hasIpv6: boolean
}

/** Files to write, in order, and commands to run after. */
export type Installation = {
  readonly files: readonly { readonly path: string; readonly text: string }[]
  readonly commands: readonly (readonly string[])[]
}

/** Open files beside those of connections, which take two each: a client and an origin. */
const OTHER_FILES = 256
/** Answers under way may finish, and programs end, before the rest is killed. */
const STOP_GRACE_SECONDS = 10
/** A loop that does not turn for so long is stuck; the slowest reload takes some seconds. */
const WATCHDOG_SECONDS = 60

/**
 * Decide what makes a file a service: a user of its own, sockets that systemd holds over restarts, and a service that
 * may write its state and nothing else.
 */
export function planInstallation(input: UnitInput): Installation {
  const { name, stateFolder, accessLog } = input
  const units = '/etc/systemd/system'
  const sysusers = `/etc/sysusers.d/${name}.conf`
  const files = [
    { path: sysusers, text: `u ${name} - "Portico" ${listWord(stateFolder)}\n` },
    { path: `${units}/${name}.socket`, text: socketUnit(input) },
    { path: `${units}/${name}.service`, text: serviceUnit(input) },
  ]
  const commands = [
    ['systemd-sysusers', sysusers],
    ['mkdir', '-p', stateFolder],
    ['chown', '-R', `${name}:`, stateFolder],
    ...ownFolders(input).flatMap((path) => [
      ['mkdir', '-p', path],
      ['chown', '-R', `${name}:`, path],
    ]),
    ...(accessLog === null
      ? []
      : [
          ['touch', accessLog],
          ['chown', `${name}:`, accessLog],
        ]),
    ['systemctl', 'daemon-reload'],
    ['systemctl', 'enable', '--now', `${name}.socket`, `${name}.service`],
  ]
  return { files, commands }
}

/** The sockets that clients know: connections wait there while the service starts again. */
function socketUnit({ plan, name, hasIpv6 }: UnitInput): string {
  const shown = plan.listeners.filter(({ protocol, address, port }) => {
    return protocol !== 'admin' && port !== 0 && (hasIpv6 || !address.includes(':'))
  })
  const lines = shown.flatMap(listenLines)
  return `[Unit]
Description=Sockets of Portico

[Socket]
Service=${name}.service
${lines.join('\n')}
BindIPv6Only=ipv6-only
FreeBind=yes
Backlog=4096

[Install]
WantedBy=sockets.target
`
}

function listenLines({ protocol, address, port }: ListenerPlan): string[] {
  const socket = printSocket(address, port)
  return protocol === 'dns'
    ? [`ListenDatagram=${socket}`, `ListenStream=${socket}`]
    : [`ListenStream=${socket}`]
}

function serviceUnit(input: UnitInput): string {
  const { plan, name, node, script, file, folder } = input
  const { connections, drainMs } = plan.http.limits
  const domains = plan.dns.zones.slice(0, 3).map(({ apex }) => apex.slice(0, -1))
  return `[Unit]
Description=Portico, the front of ${domains.join(', ') || 'no domain yet'}
Requires=${name}.socket
After=${name}.socket network-online.target
Wants=network-online.target

[Service]
Type=notify
NotifyAccess=all
WatchdogSec=${WATCHDOG_SECONDS}
ExecStart=${[node, script, 'up', '--config', file].map(commandWord).join(' ')}
ExecReload=/bin/kill -HUP $MAINPID
WorkingDirectory=${escapePercent(folder)}
Sockets=${name}.socket
Restart=always
RestartSec=1
TimeoutStopSec=${Math.ceil(drainMs / 1000) + STOP_GRACE_SECONDS}
KillMode=mixed
LimitNOFILE=${2 * connections + OTHER_FILES}

User=${name}
UMask=0077
AmbientCapabilities=CAP_NET_BIND_SERVICE
CapabilityBoundingSet=CAP_NET_BIND_SERVICE
${hardening(input).join('\n')}

[Install]
WantedBy=multi-user.target
`
}

/** What the service cannot do: all but its work. Node compiles while it runs, so memory stays writable and executable. */
function hardening({ plan, file, folder, stateFolder, accessLog, node, script }: UnitInput): string[] {
  const isAtHome = [file, node, script, stateFolder].some((path) => /^\/(home|root|run\/user)\//.test(path))
  // "-": what is not there is passed over. The state is made before the first start.
  const writable = [
    stateFolder,
    ...(accessLog === null ? [] : [`-${dirname(accessLog)}`]),
    ...programFolders(plan, folder),
    ...ownFolders({ plan, folder }).map((path) => `-${path}`),
  ]
  const lines = [
    'NoNewPrivileges=yes',
    'ProtectSystem=strict',
    `ProtectHome=${isAtHome ? 'read-only' : 'yes'}`,
    ...[...new Set(writable)].map((path) => `ReadWritePaths=${listWord(path)}`),
    ...['PrivateTmp', 'PrivateDevices', 'ProtectClock', 'ProtectControlGroups', 'ProtectHostname'].map(
      (key) => `${key}=yes`,
    ),
    ...['ProtectKernelLogs', 'ProtectKernelModules', 'ProtectKernelTunables'].map((key) => `${key}=yes`),
    ...['LockPersonality', 'RestrictRealtime', 'RestrictSUIDSGID'].map((key) => `${key}=yes`),
  ]
  // Programs of the file may need more of the system than Portico does.
  if (plan.processes.length > 0) return lines
  const families = 'RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK'
  return [
    ...lines,
    'RestrictNamespaces=yes',
    families,
    'SystemCallArchitectures=native',
    'SystemCallFilter=@system-service',
  ]
}

/** Where buckets and live streams are kept: Portico writes there, and nobody else needs to. */
function ownFolders({ plan, folder }: Pick<UnitInput, 'plan' | 'folder'>): string[] {
  const actions = plan.http.hosts.flatMap(({ routes }) => routes.map(({ action }) => action))
  const roots = actions.flatMap((action) =>
    action.kind === 'bucket' || action.kind === 'live' ? [action.root] : [],
  )
  return [...new Set(roots.map((root) => resolve(folder, root)))]
}

function programFolders({ processes }: Plan, folder: string): string[] {
  return processes.map(({ cwd }) => `-${isAbsolute(cwd) ? cwd : resolve(folder, cwd)}`)
}

/** A word of ExecStart, where "$" has a meaning of its own too (systemd.service(5)). */
function commandWord(word: string): string {
  return listWord(word).replaceAll('$', '$$$$')
}

/** A word of a list: spaces part words, and "%" begins a specifier (systemd.unit(5)). */
function listWord(word: string): string {
  const plain = escapePercent(word)
  return /[\s"'\\;]/.test(word) ? `"${plain.replace(/["\\]/g, '\\$&')}"` : plain
}

function escapePercent(path: string): string {
  return path.replaceAll('%', '%%')
}
