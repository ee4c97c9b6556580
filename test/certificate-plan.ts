import type { CertificatePlan } from '#tls/plan.ts'

/** A certificate that the local authority issues. */
export function wanted(name: string): CertificatePlan {
  const from = { file: 'portico.jsonc', line: 1, column: 1 }
  return { id: `certificate:${name}`, key: name, from, names: [name], issuer: 'local' }
}
