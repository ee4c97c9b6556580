import type { Source } from './source.ts'

// cli, admin → run → machines → decisions → plan types → wire → core; config/ and plan/ join the values of all services.
const levels = { core: 0, wire: 1, plan: 2, service: 3, joined: 4, run: 5, front: 6, entrance: 7 }

type Level = keyof typeof levels

/** Types that every service shares: the exchange between connections and what answers, and configs with their positions. */
const contracts = ['src/http/exchange.ts', 'src/config/source.ts']

/** Which imports go upwards, or sideways from one service into another's insides. */
export function layerProblems(sources: readonly Source[]): string[] {
  return sources
    .filter(({ isTest, path }) => !isTest && path.startsWith('src/'))
    .flatMap(({ path, imports }) =>
      imports
        .filter(({ to }) => to.startsWith('src/'))
        .map(({ to, line, typeOnly }) => {
          const problem = typeOnly && contracts.includes(to) ? undefined : between(path, to)
          return problem && `${path}:${line} imports ${to}: ${problem}`
        })
        .filter((problem) => problem !== undefined),
    )
}

function between(from: string, to: string): string | undefined {
  const [a, b] = [levelOf(from), levelOf(to)]
  const isSameService = areaOf(from) === areaOf(to)
  if (isSameService && !['core', 'wire', 'entrance'].includes(a)) return undefined
  if (levels[b] > levels[a]) return `${b} stands above ${a}. Fix: ${upwards[a]}`
  if (b === 'service' && a === 'service') {
    return 'a service sees no other service. Fix: import its plan.ts types or wire/, and let run/ hand it the rest'
  }
  return undefined
}

const upwards: Record<Level, string> = {
  core: 'core/ knows no service; hand in what it needs, or move that to core/',
  wire: 'wire/ is bytes ↔ values; hand in the rest as an argument',
  plan: 'config.ts and plan.ts stand on plan types, wire/ and core/; hand in what they need',
  service: 'run/ hands to a service what it needs from above',
  joined: 'config/ and plan/ decide before anything runs; hand in what they need',
  run: 'run/ is called by cli/ and admin/; hand in what it needs',
  front: 'only main.ts and portico.ts start things',
  entrance: '',
}

function levelOf(path: string): Level {
  const area = areaOf(path)
  if (path.split('/').length === 2) return 'entrance'
  if (area === 'core' || area === 'run') return area
  if (area === 'cli' || area === 'admin') return 'front'
  if (area === 'config' || area === 'plan') return 'joined'
  if (path.includes('/wire/')) return 'wire'
  return /[/-](config|plan)\.ts$/.test(path) ? 'plan' : 'service'
}

function areaOf(path: string): string {
  return path.split('/')[1] ?? ''
}
