import { resolve } from 'node:path'
import type { Log } from '#core/log.ts'
import type { Handler } from '../exchange.ts'
import { compress } from './compress.ts'
import { deliverResponses } from './delivered.ts'
import { hintEarly } from './early-hints.ts'
import { showErrorPages } from './error-pages.ts'
import { changeRequestFields, changeResponseFields, secureResponse } from './field-rules.ts'
import { maintain } from './maintenance.ts'
import { pace } from './paced.ts'
import { openPage } from './page-file.ts'
import type { Step } from './passing.ts'
import type { TransformPlan } from './plan.ts'
import { rewritePath } from './rewrite.ts'

/** `folder`: where relative paths of pages start. */
export type TransformOptions = { readonly folder: string; readonly log: Log }

/**
 * Put around a handler what its route says of responses. A route that says nothing has nothing on its path.
 *
 * @param plan undefined when everything passes as it is
 * @throws {Error} when a page cannot be read
 */
export function transformResponses(
  handler: Handler,
  plan: TransformPlan | undefined,
  { folder, log }: TransformOptions,
): Handler {
  if (plan === undefined) return handler
  const { errors, maintenance } = plan
  const page = (file: string) => openPage(resolve(folder, file), log)
  // A response goes through them from the last to the first: the page of an error is compressed too.
  const steps: Step[] = []
  if (plan.pace !== null) steps.push(pace(plan.pace))
  if (plan.isBuffered || plan.saysTiming) steps.push(deliverResponses(plan))
  if (plan.compress) steps.push(compress)
  if (plan.response.length > 0) steps.push(changeResponseFields(plan.response))
  if (plan.security) steps.push(secureResponse)
  if (errors.length > 0)
    steps.push(showErrorPages(errors.map((error) => ({ ...error, page: page(error.page) }))))
  if (maintenance !== null)
    steps.push(maintain(maintenance, maintenance.page === null ? null : page(maintenance.page)))
  return chained(steps, handler)
}

/** Compress what a handler answers, where its route says so: what a cache keeps is compressed once. */
export function compressResponses(handler: Handler, plan: TransformPlan | undefined): Handler {
  return plan?.compress === true ? chained([compress], handler) : handler
}

/** Put before a handler what its route says of requests; who is let in was decided on the request as it came. */
export function transformRequests(handler: Handler, plan: TransformPlan | undefined): Handler {
  if (plan === undefined) return handler
  const steps: Step[] = []
  if (plan.earlyHints.length > 0) steps.push(hintEarly(plan.earlyHints))
  if (plan.request.length > 0) steps.push(changeRequestFields(plan.request))
  if (plan.rewrite !== null) steps.push(rewritePath(plan.rewrite))
  return chained(steps, handler)
}

function chained(steps: readonly Step[], handler: Handler): Handler {
  if (steps.length === 0) return handler
  return (exchange) => {
    let inner = exchange
    for (const step of steps) {
      const next = step(inner)
      if (next === null) return
      inner = next
    }
    handler(inner)
  }
}
