/** What a look at the world, or at this machine, found about one thing. Plain JSON. */
export type Finding = {
  /** what was looked at, such as `delegation of example.com` */
  readonly what: string
  /** `unknown`: it could not be seen from here, which says nothing against it */
  readonly level: 'ok' | 'warning' | 'error' | 'unknown'
  /** what was found */
  readonly message: string
  /** something to do, or that can be pasted */
  readonly fix?: string
}

/** Whether anything was found that has to be mended. */
export function hasFailed(findings: readonly Finding[]): boolean {
  return findings.some(({ level }) => level === 'error')
}
