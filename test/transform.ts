import { silent } from '#core/log.ts'
import type { Handler } from '#http/exchange.ts'
import type { PaceConfig, TransformConfig } from '#http/transform/config.ts'
import { planTransform, type TransformPlan } from '#http/transform/plan.ts'
import { transformRequests, transformResponses } from '#http/transform/transformed.ts'

/** The Plan of what a route says, without a host that says more. */
export function transformOf(
  written: TransformConfig & { readonly limits?: PaceConfig },
  pattern = '/**',
): TransformPlan | undefined {
  return planTransform(pattern, {}, written)
}

/** A handler behind what a route says. */
export function handlerOf(
  written: TransformConfig & { readonly limits?: PaceConfig },
  handler: Handler,
  folder = '.',
): Handler {
  return transformedBy(transformOf(written), handler, folder)
}

/** As `run/` composes it. */
export function transformedBy(plan: TransformPlan | undefined, handler: Handler, folder = '.'): Handler {
  return transformResponses(transformRequests(handler, plan), plan, { folder, log: silent })
}
