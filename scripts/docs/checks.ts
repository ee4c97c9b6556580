import { printProblem } from '#core/problem.ts'
import type { Planted } from '../../test/planted/fault.ts'
import { checkText, plantedFaults } from '../../test/planted/planted.ts'

const AREAS: Readonly<Record<string, string>> = {
  config: 'The form of the file',
  dns: 'Names and records',
  http: 'Hosts and routes',
  access: 'Who is let in',
  cache: 'What is kept',
  bucket: 'Buckets',
  stream: 'Films',
  plan: 'What crosses services',
  tls: 'Certificates',
}

/** docs/checks.md: every code of `portico check`, with a file that has the fault and what is printed for it. */
export function checksPage(): string {
  const areas = Object.entries(AREAS).map(([area, title]) => {
    const faults = plantedFaults.filter(({ code }) => code.startsWith(`${area}/`))
    return `## ${title}\n\n${faults.map(printFault).join('\n')}`
  })
  const rows = plantedFaults.map(
    ({ code, level, why }) => `| [\`${code}\`](#${anchor(code)}) | ${level} | ${why} |`,
  )
  return `# What \`portico check\` finds

Made from the table of planted faults in the tests by \`npm run docs\`; a test holds each message to what the program prints.
\`check\` prints all problems at once, in order of position: \`file:line:column level code\`, what was written and why it cannot be, and what to write instead.
Codes are stable. With an error the file is not served, and a running Portico keeps the one it has; a warning is served. The exit code is 1 when there is an error.
\`check --json\` prints \`{ "file", "ok", "problems": [{ "level", "code", "at": { "file", "line", "column" }, "message", "fix" }] }\`.

\`check --live\` asks the world as well, for at most \`--timeout\`: the delegation and its glue at the servers of the zone above, DS, each name server's serial, CAA, the addresses of hosts and of name servers, PTR of what mail comes from, and whether the ports open from here. \`--resolver\` names who is asked. What nobody answered is \`?\`, which is no fault; with \`--json\` the findings stand in \`live\`: \`[{ "what", "level", "message", "fix" }]\`.

| code | level | why |
|---|---|---|
${rows.join('\n')}

${areas.join('\n')}`
}

/** As code hosts make anchors of headings. */
function anchor(code: string): string {
  return code.replace('/', '')
}

function printFault({ code, level, why, source, text }: Planted): string {
  const problem = checkText(text)
    .problems.map((found) => printProblem(found))
    .join('\n')
  const section = source === undefined ? '' : ` (${source})`
  return `### ${code}\n\n${level}: ${why.replace(/\.$/, '')}${section}.\n\n\`\`\`jsonc\n${text}\n\`\`\`\n\n\`\`\`text\n${problem}\n\`\`\`\n`
}
