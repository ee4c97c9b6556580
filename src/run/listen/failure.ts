import { messageOf } from '#core/errors.ts'
import { type ListenerPlan, printSocket } from '#plan/listeners.ts'

/** What went wrong with a listener, who is in the way, and what to do. */
export async function listenFailure(
  error: unknown,
  { protocol, address, port, from }: ListenerPlan,
  holderOf: (port: number) => Promise<string | undefined>,
): Promise<Error> {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : undefined
  const reason = code ?? (cause !== undefined && 'code' in cause ? cause.code : undefined)
  const what = `Cannot listen on ${printSocket(address, port)} for ${protocol}`
  const where = from.line === 0 ? '' : ` (${from.file}:${from.line})`
  if (reason === 'EADDRINUSE') {
    const holder = await holderOf(port)
    const by = holder === undefined ? '' : ` by ${holder}`
    return new Error(`${what}${where}: the port is taken${by}. Fix: ${wayOut(holder, protocol)}`, {
      cause: error,
    })
  }
  if (reason === 'EACCES') {
    const fix = `Ports below 1024 need a right: run as root, or "sudo setcap cap_net_bind_service=+ep $(command -v node)", or use --dev.`
    return new Error(`${what}${where}: this user may not. ${fix}`, { cause: error })
  }
  if (reason === 'EADDRNOTAVAIL') {
    return new Error(`${what}${where}: this machine does not have that address.`, { cause: error })
  }
  return new Error(`${what}${where}: ${messageOf(error)}`, {
    cause: error,
  })
}

/** What to do about a port that another process has. */
export function wayOut(holder: string | undefined, protocol: string): string {
  if (holder?.includes('(systemd-resolve') === true)
    return '"listen": { "dns": "ADDRESS:53" } with the public address alone; or DNSStubListener=no below [Resolve] in /etc/systemd/resolved.conf.d/portico.conf, then systemctl restart systemd-resolved'
  return `stop it, or give "listen": { "${protocol}": … } another port`
}
