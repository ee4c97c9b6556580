import { parentOf } from '#dns/records/names.ts'

/** Hosts by name, to say which one answers for any name; as `route` chooses, before there are routes. */
export type Served = {
  readonly hosts: ReadonlySet<string>
  /** every name that is a host or stands above one */
  readonly enclosers: ReadonlySet<string>
}

/** @param hosts absolute names; the left-most label may be `*` */
export function indexServed(hosts: Iterable<string>): Served {
  const names = new Set(hosts)
  const enclosers = new Set<string>()
  for (const host of names) {
    for (let name = host; name !== '' && !enclosers.has(name); name = parentOf(name)) enclosers.add(name)
  }
  return { hosts: names, enclosers }
}

/** The host that answers for a name: itself, or the wildcard below its closest encloser (RFC 4592 §3.3.1). */
export function servedBy(name: string, { hosts, enclosers }: Served): string | undefined {
  if (hosts.has(name)) return name
  let encloser = parentOf(name)
  while (encloser !== '' && !enclosers.has(encloser)) encloser = parentOf(encloser)
  return hosts.has(`*.${encloser}`) ? `*.${encloser}` : undefined
}
