import { type Command, findConfig, flagOption } from '#cli/command.ts'
import { countFindings, printFindings } from '#cli/findings.ts'
import { liveOptionDocs, readLiveOptions } from '#cli/live-options.ts'
import { print, printError, printJson, printProblems } from '#cli/print.ts'
import { askRunning } from '#cli/running.ts'
import { hasFailed } from '#core/finding.ts'
import { diagnose } from '#run/doctor/doctor.ts'
import { gatherMachineFacts } from '#run/doctor/machine.ts'
import { planSource } from '#run/portico.ts'
import type { Status } from '#run/status.ts'
import type { CertificateRow } from '#run/tls/certificate-rows.ts'

/** `portico doctor` */
export const doctorCommand: Command = {
  name: 'doctor',
  summary: 'Look at this machine: rights, ports, limits, clock, trust, delegation, certificate.',
  usage: '[--resolver ADDRESS[:PORT]] [--timeout TIME] [--json] [--config FILE]',
  options: {
    ...liveOptionDocs,
    json: { type: 'boolean', doc: 'One JSON object with everything that was found.' },
  },
  examples: ['portico doctor', 'portico doctor --json'],
  async run(input) {
    const live = readLiveOptions(input)
    const planned = await planSource({ file: findConfig(input) }, false)
    const { plan } = planned
    if (plan === null) {
      printProblems(planned.problems, printError)
      return 1
    }
    const status = (await askRunning(input, 'GET /status')) as Status | null
    const certificates = (await askRunning(input, 'GET /certs')) as readonly CertificateRow[] | null
    const running = status && { ...status, certificates: certificates ?? [] }
    const findings = diagnose(await gatherMachineFacts({ ...planned, plan }, running, live))
    const failed = hasFailed(findings)
    if (flagOption(input, 'json')) printJson({ ok: !failed, findings })
    else {
      printFindings(findings)
      print(countFindings(findings))
    }
    return failed ? 1 : 0
  },
}
