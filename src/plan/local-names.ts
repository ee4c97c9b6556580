import { draftZone, type ZoneInput } from '#dns/plan.ts'
import type { RecordDraft } from '#dns/records/read-records.ts'
import type { HostConfig, RouteConfig } from '#http/host-config.ts'

/** A zone on its way into the Plan. */
export type DraftedZone = { readonly input: ZoneInput; readonly drafts: readonly RecordDraft[] }

/** Whether an absolute name stands below `.localhost` by itself (RFC 6761 §6.3). */
export function isLocal(name: string): boolean {
  return name.endsWith('.localhost.')
}

/** The same zones below `.localhost`: what a browser on the laptop asks for. */
export function devZones(drafted: readonly DraftedZone[]): DraftedZone[] {
  return drafted
    .filter(({ input }) => !isLocal(input.apex))
    .map(({ input }) => {
      const local = (name: string): string => `${name}localhost.`
      const hosts = input.hosts
        .filter(({ alias }) => alias === null)
        .map((host) => ({ ...host, name: local(host.name) }))
      const records = { drafts: [], emptied: new Set<string>(), problems: [] }
      // Nobody validates what a laptop says of itself.
      const copy = { ...input, apex: local(input.apex), hosts, records, dnssec: undefined }
      return { input: copy, drafts: draftZone(copy).drafts }
    })
}

/**
 * A host as its copy below `.localhost` has it: redirects to hosts of ours stay on the laptop.
 *
 * @param names of our hosts, without final dot
 */
export function withLocalTargets(
  written: HostConfig,
  names: ReadonlySet<string>,
  httpsPort: number | null,
): HostConfig {
  const localize = <Kind extends RouteConfig>(route: Kind): Kind => {
    if (route.redirect === undefined) return route
    const { redirect } = route
    if (typeof redirect === 'string') return { ...route, redirect: localTarget(redirect, names, httpsPort) }
    return { ...route, redirect: { ...redirect, to: localTarget(redirect.to, names, httpsPort) } }
  }
  if (written.routes === undefined) return localize(written)
  const routes = Object.entries(written.routes).map(([pattern, route]) => [pattern, localize(route)] as const)
  return { ...written, routes: Object.fromEntries(routes) }
}

function localTarget(to: string, names: ReadonlySet<string>, httpsPort: number | null): string {
  const match = /^https?:\/\/([^/:?#]+)(.*)$/i.exec(to)
  const [, host = '', rest = ''] = match ?? []
  if (!names.has(host.toLowerCase()) || httpsPort === null) return to
  return `https://${host.toLowerCase()}.localhost:${httpsPort}${rest}`
}
