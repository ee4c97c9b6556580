import { isOnDemand } from '#acme/plan.ts'
import type { Plan } from '#plan/plan.ts'
import { compileCertificates, select } from '#tls/select.ts'
import { fault, type Step, step } from './step.ts'
import type { Live } from './world.ts'

/** Which certificate a client of this host gets, by whom and until when; or what becomes of the handshake. */
export function explainCertificate(host: string, plan: Plan, live: Live | null): Step {
  const { certificate, reason } = select(compileCertificates(plan.tls.certificates), host)
  const described = live?.certificate.certificate
  const until = described == null ? '' : `, until ${new Date(described.notAfter).toISOString().slice(0, 16)}Z`
  if (certificate === null) {
    const { onDemand } = plan.tls
    if (onDemand === null || !isOnDemand(host, onDemand)) return explainUnknown(host, plan, reason)
    const says =
      described == null ? `ordered if ${onDemand.ask} agrees` : `${host}, by ${described.issuer}${until}`
    return step('certificate', says, 'on demand: no other has this name', null)
  }
  const { names, issuer, from } = certificate
  const who = { local: 'the local authority', acme: 'an authority over ACME', files: 'a file' }[issuer]
  const beside = certificate.pair ? ', with a key of RSA beside it for clients without ECDSA' : ''
  const says = `${names.join(', ')}, by ${described?.issuer ?? who}${until}${beside}`
  return step('certificate', says, reason, from)
}

function explainUnknown(host: string, { tls }: Plan, reason: string): Step {
  const what = {
    refuse: 'the handshake is refused',
    close: 'the connection is closed',
    default: `the client gets that of ${tls.certificates[0]?.names[0]} and will not trust it`,
  }[tls.unknownNames]
  const near = tls.certificates.flatMap(({ names }) => names).find((name) => isDeepBelow(host, name))
  const why = near === undefined ? reason : `${near} stands for one label alone (RFC 9525 §6.3)`
  return fault('certificate', `none for ${host}: ${what}`, why, null)
}

function isDeepBelow(host: string, name: string): boolean {
  return name.startsWith('*.') && host.endsWith(name.slice(1))
}
