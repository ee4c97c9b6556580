import type { OriginPlan } from '#http/service-plan.ts'

/** The plan of an origin on 127.0.0.1. */
export function originAt(port: number, changes: Partial<OriginPlan> = {}): OriginPlan {
  const authority = `127.0.0.1:${port}`
  return {
    id: `origin:http://${authority}`,
    scheme: 'http',
    host: '127.0.0.1',
    port,
    authority,
    verify: true,
    ...changes,
  }
}
