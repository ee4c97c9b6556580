import type { Log } from '#core/log.ts'
import type { Exchange, Handler } from '#http/exchange.ts'
import { type Page, respondPage } from '#http/wire/page.ts'
import { PassingExchange } from '#http/wire/passing-exchange.ts'
import { watchEnd } from '#http/wire/watch-end.ts'
import { admitAddress, compileNetworks } from './admit.ts'
import { clientAddress } from './client-address.ts'
import { createForwardAuth } from './forward-auth.ts'
import { identify } from './identified.ts'
import type { PasswordVerifier } from './password.ts'
import type { AccessPlan } from './plan.ts'
import { createSignInCheck } from './sign-in.ts'
import type { Check, Refused } from './verdict.ts'

/** What guards need beside their Plan; read at each request, so it may change under a guard that stays. */
export type GuardOptions = {
  /** Whether Forwarded and X-Forwarded-* of a peer at this address are believed. */
  readonly isTrusted: (address: string) => boolean
  readonly passwords: PasswordVerifier
  /** in milliseconds; never goes back */
  readonly now: () => number
  readonly log: Log
}

/**
 * Put a guard before the handler of a route.
 *
 * @example createGuard(route.access, { isTrusted, passwords, now, log }, createForward(…))
 */
export function createGuard(plan: AccessPlan, options: GuardOptions, handler: Handler): Handler {
  const networks = compileNetworks(plan.networks)
  const checks = checksOf(plan, options)
  const names = ownFields(plan)

  return (exchange) => {
    const { client, fields } = exchange.request
    const address = clientAddress(client.address, fields, options.isTrusted)
    const { isAdmitted, reason } = admitAddress(networks, address)
    if (!isAdmitted) refuse(exchange, { isAdmitted, answer: KEPT_OUT, reason })
    else if (checks.length === 0) handler(exchange)
    else void ask(exchange, address)
  }

  async function ask(exchange: Exchange, address: string | null): Promise<void> {
    const watch = watchEnd(exchange)
    const found: (readonly [string, string])[] = []
    try {
      for (const check of checks) {
        const verdict = check(exchange, address)
        const settled = verdict instanceof Promise ? await verdict : verdict
        if (watch.isOver) return
        if (!settled.isAdmitted) return refuse(exchange, settled)
        found.push(...settled.fields)
      }
    } catch (error) {
      options.log('error', 'access check failed', { error: String(error) })
      if (!watch.isOver) refuse(exchange, { isAdmitted: false, answer: FAILED, reason: 'the check failed' })
      return
    }
    if (names.size === 0) handler(exchange)
    else {
      const fields = identify(exchange.request.fields, names, found)
      handler(new PassingExchange(exchange, { ...exchange.request, fields }))
    }
  }
}

function checksOf({ basic, bearer, forward }: AccessPlan, { passwords, now }: GuardOptions): Check[] {
  const checks: Check[] = []
  if (basic !== null || bearer !== null) checks.push(createSignInCheck({ basic, bearer }, passwords))
  if (forward !== null) checks.push(createForwardAuth(forward, now))
  return checks
}

/** Names of the fields that say who asks, in lower case: the client may not send them. */
function ownFields({ bearer, forward }: AccessPlan): ReadonlySet<string> {
  const names = [...(bearer?.claims.map(([name]) => name) ?? []), ...(forward?.copy ?? [])]
  return new Set(names.map((name) => name.toLowerCase().replaceAll('_', '-')))
}

function refuse(exchange: Exchange, { answer, reason }: Refused): void {
  exchange.note.answeredBy = 'access'
  exchange.note.reason = reason
  if ('head' in answer) exchange.respond(answer.head, answer.body)
  else respondPage(exchange, answer)
}

const KEPT_OUT: Page = { status: 403, detail: 'Nobody at your address is let in here.', fault: 'client' }
const FAILED: Page = {
  status: 500,
  detail: 'Whether you are let in could not be found out.',
  fault: 'portico',
}
