import { dirname } from 'node:path'
import { type Key, readKeys } from '#bucket/identify.ts'
import type { KeyPlan } from '#bucket/plan.ts'
import { keyOfPath } from '#bucket/wire/key.ts'
import { signUrl } from '#bucket/wire/signed-url.ts'
import {
  type Command,
  type CommandInput,
  findConfig,
  flagOption,
  textOption,
  UsageError,
} from '#cli/command.ts'
import { print, printError, printProblems } from '#cli/print.ts'
import { hasErrors } from '#core/problem.ts'
import { parseDuration } from '#core/units.ts'
import type { RoutePlan } from '#http/plan.ts'
import { compileRoutes, route } from '#http/route.ts'
import { isRefusal } from '#http/wire/refusal.ts'
import { planSource } from '#run/portico.ts'

/** `portico sign` */
export const signCommand: Command = {
  name: 'sign',
  summary: 'Sign a URL of a bucket or film: whoever has it may download, play, or upload, until a time.',
  usage: 'URL [--upload] [--for DURATION] [--prefix] [--key ID] [--config FILE]',
  options: {
    upload: { type: 'boolean', doc: 'For PUT, POST and DELETE; without it, for GET and HEAD.' },
    for: {
      type: 'string',
      value: 'DURATION',
      doc: 'How long it is good for, such as 15m or 7d; 1h when not given.',
    },
    prefix: { type: 'boolean', doc: 'For every object whose key begins with the path, not for one only.' },
    key: {
      type: 'string',
      value: 'ID',
      doc: 'The key of the bucket that signs; needed when there are several.',
    },
  },
  positionals: { min: 1, max: 1, are: ['URL'] },
  examples: [
    'portico sign https://media.example.com/film.mp4 --for 1d',
    'portico sign https://media.example.com/inbox/ --upload --prefix --key site',
  ],
  async run(input) {
    const file = findConfig(input)
    const url = readUrl(input.positionals[0]!)
    const { plan, problems } = await planSource({ file }, false)
    if (plan === null || hasErrors(problems)) {
      printProblems(problems, printError)
      return 1
    }
    const found = route(compileRoutes(plan.http.hosts), url.hostname, url.pathname)
    const keys = found.route === null ? null : keysOf(found.route)
    if (keys === null)
      throw new UsageError(`${url.href} leads to no bucket of ${file}, and to no "stream" that is signed.`)
    const allow = flagOption(input, 'upload') ? 'write' : 'read'
    const objectKey = keyOfPath(url.pathname)
    if (isRefusal(objectKey)) throw new UsageError(`${url.href} names no object: ${objectKey.reason}.`)
    const key = chooseKey(keys, { file, id: textOption(input, 'key'), allow, objectKey })
    const expires = Math.floor((Date.now() + readDuration(input)) / 1000)
    const prefix = flagOption(input, 'prefix') ? objectKey : null
    const grant = { keyId: key.id, allow, expires, prefix } as const
    print(`${url.origin}${url.pathname}?${signUrl(grant, url.hostname, url.pathname, key.secret)}`)
    return 0
  },
}

function readUrl(written: string): URL {
  if (!/^https?:/i.test(written) || !URL.canParse(written))
    throw new UsageError(
      `"${written}" is no URL with http or https, such as https://media.example.com/film.mp4.`,
    )
  return new URL(written)
}

const HOUR_MS = 3_600_000

function readDuration(input: CommandInput): number {
  const written = textOption(input, 'for')
  const duration = written === undefined ? HOUR_MS : parseDuration(written)
  if (duration === undefined || duration <= 0)
    throw new UsageError(`--for is "${written}"; a duration such as 15m, 12h or 7d is wanted.`)
  return duration
}

type Wanted = {
  readonly file: string
  readonly id: string | undefined
  readonly allow: 'read' | 'write'
  readonly objectKey: string
}

/** Keys of the bucket, or of its streams; null where nothing is signed. */
function keysOf({ action, stream }: RoutePlan): readonly KeyPlan[] | null {
  const ofStream = (stream?.signKeys ?? []).map((key) => ({ ...key, mayRead: true, mayWrite: false }))
  if (action.kind === 'bucket') return action.keys.length > 0 ? action.keys : ofStream
  return ofStream.length > 0 ? ofStream : null
}

/** The key that was named, or the only one that is good for it. */
function chooseKey(keys: readonly KeyPlan[], { file, id, allow, objectKey }: Wanted): Key {
  const good = keys.filter(
    ({ mayRead, mayWrite, prefix }) =>
      (allow === 'read' ? mayRead : mayWrite) && objectKey.startsWith(prefix),
  )
  const chosen = id === undefined ? good : good.filter((key) => key.id === id)
  const [plan] = chosen
  if (plan === undefined || chosen.length > 1) {
    const known = good.map((key) => key.id).join(', ') || 'none'
    throw new UsageError(
      chosen.length > 1
        ? `Several keys can sign this; --key names one of ${known}.`
        : `No key${id === undefined ? '' : ` "${id}"`} is good for this; those that are: ${known}.`,
    )
  }
  let fault = ''
  const read = readKeys([plan], dirname(file), (_level, _event, about) => (fault = String(about?.['error'])))
  const key = read.get(plan.id)
  if (key === undefined) throw new Error(`The secret of the key "${plan.id}" cannot be read: ${fault}`)
  return key
}
