import { isHostLabel, type NameFault } from './written-name.ts'

/**
 * Say when a target that must be a host is none, such as a URL or a name with a port (RFC 1123 §2.1).
 *
 * @param name absolute; underscores pass: directories of some networks call their servers by them
 */
export function hostTargetFault(written: string, name: string): NameFault | undefined {
  const labels = name === '.' ? [] : name.slice(0, -1).split('.')
  if (labels.every((label) => isHostLabel(label.replaceAll('_', 'a')))) return undefined
  const host = /^(?:[a-z][a-z0-9+.-]*:\/\/)?([a-z0-9.-]*[a-z0-9])/i.exec(written)?.[1]
  return {
    code: 'dns/target-characters',
    message: `The target "${written}" is no name of a host: letters, digits and "-" inside, without scheme, port or path (RFC 1123 §2.1).`,
    fix: `"${host ?? 'host.example.com'}"`,
  }
}

/** What to say of an address where a name belongs, and what was probably meant. */
export function addressFault(target: string, type: string, ownerText: string): NameFault {
  const address = target.replace(/^\[|\]$/g, '').replace(/\.$/, '')
  const wanted = address.includes(':') ? 'AAAA' : 'A'
  if (type !== 'CNAME') {
    const message = `${type} of "${ownerText}" names ${address}, but it names a host, never an address (${TARGET_SECTIONS[type] ?? 'RFC 1035 §3.3'}).`
    return {
      code: 'dns/target-is-address',
      message,
      fix: `give the host a name: "records": { "host": { "${wanted}": "${address}" } }`,
    }
  }
  return {
    code: 'dns/cname-to-address',
    message: `"${ownerText}" is a CNAME to ${address}, but a CNAME names another host, never an address (RFC 1035 §3.3.1).`,
    fix: `"${ownerText}": { "${wanted}": "${address}" }`,
  }
}

/** Where it is said what the target of a type is: a host with addresses. */
export const TARGET_SECTIONS: Readonly<Record<string, string>> = {
  MX: 'RFC 1035 §3.3.9',
  NS: 'RFC 1035 §3.3.11',
  SRV: 'RFC 2782',
}
