import { resolve } from 'node:path'
import { type Command, findConfig, flagOption } from '#cli/command.ts'
import { paint, print, printError, printJson, printProblems, tableLines } from '#cli/print.ts'
import { messageOf } from '#core/errors.ts'
import { hasErrors } from '#core/problem.ts'
import type { Plan } from '#plan/plan.ts'
import { readServedZones } from '#run/dns/served-zones.ts'
import { planSource } from '#run/portico.ts'
import { leadsTo } from '#run/status.ts'

/** `portico plan` */
export const planCommand: Command = {
  name: 'plan',
  summary: 'Show everything that follows from the file: records, certificates, routes, listeners.',
  usage: '[--dev] [--json] [--config FILE]',
  options: {
    dev: { type: 'boolean', doc: 'As "portico up --dev" would serve it.' },
    json: { type: 'boolean', doc: 'The Plan as JSON, with ids, keys and positions.' },
  },
  examples: ['portico plan', 'portico plan --dev --json'],
  async run(input) {
    const planned = await planSource({ file: findConfig(input) }, flagOption(input, 'dev'))
    const { config, problems, folder } = planned
    printProblems(problems, printError)
    if (config === null || planned.plan === null) return 1
    const plan = await withUpdates(planned.plan, resolve(folder, config.value.state))
    const code = hasErrors(problems) ? 1 : 0
    if (flagOption(input, 'json')) {
      printJson(plan)
      return code
    }
    const sections: [string, string[][]][] = [
      [
        'Listeners',
        plan.listeners.map(({ protocol, id, from }) => [protocol, id.split(' ')[1] ?? '', line(from)]),
      ],
      [
        'Records',
        plan.dns.zones.flatMap(({ rrsets }) =>
          rrsets.flatMap(({ owner, type, ttl, data, why, from }) =>
            data.map((rdata) => [owner, String(ttl), type, rdata, `${why}, ${line(from)}`]),
          ),
        ),
      ],
      [
        'Certificates',
        plan.tls.certificates.map(({ names, issuer, from }) => [names.join(' '), issuer, line(from)]),
      ],
      [
        'Routes',
        plan.http.hosts.flatMap(({ name, routes }) =>
          routes.map(({ pattern, action, from }) => [`${name}${pattern}`, leadsTo(action), line(from)]),
        ),
      ],
      ['Processes', plan.processes.map(({ name, words, from }) => [name, words.join(' '), line(from)])],
    ]
    for (const [title, rows] of sections.filter(([, rows]) => rows.length > 0)) {
      print(paint('strong', title))
      for (const text of tableLines(rows)) print(`  ${text}`)
    }
    return code
  },
}

/** Records as dynamic updates left them; those are kept in state, and win over the file. */
async function withUpdates(plan: Plan, stateFolder: string): Promise<Plan> {
  const updated = new Set(plan.dns.moves.filter(({ update }) => update !== null).map(({ apex }) => apex))
  if (updated.size === 0) return plan
  try {
    const { versions } = await readServedZones(plan.dns, stateFolder)
    const served = new Map(versions.map((version) => [version.plan.apex, version.plan]))
    const zones = plan.dns.zones.map((zone) => (updated.has(zone.apex) ? served.get(zone.apex)! : zone))
    return { ...plan, dns: { ...plan.dns, zones } }
  } catch (error) {
    const why = messageOf(error)
    printError(`Dynamic updates are not shown, as state cannot be read: ${why}`)
    return plan
  }
}

function line(from: { readonly line: number }): string {
  return from.line === 0 ? '' : `line ${from.line}`
}
