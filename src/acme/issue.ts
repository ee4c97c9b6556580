import { createPrivateKey, generateKeyPair } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { Log } from '#core/log.ts'
import type { Account } from './account.ts'
import { type AcmeClient, AcmeError } from './client.ts'
import { nextForName, nextStep, problem } from './order.ts'
import type { AuthorityPlan, ChallengeType, KeyType } from './plan.ts'
import { type Proof, type Prover, prove } from './proof.ts'
import { type Certificate, type OrderUnderWay, sameNames } from './record.ts'
import { isMembers, textOf, textsOf } from './wire/json.ts'
import { type Authorization, type Order, readAuthorization, readOrder } from './wire/objects.ts'
import { encodeRequest } from './wire/request.ts'

/** What an order needs of the world. */
export type IssueOptions = {
  readonly client: AcmeClient
  readonly account: Account
  readonly authority: AuthorityPlan
  readonly names: readonly string[]
  readonly keyType: KeyType
  readonly challenges: readonly ChallengeType[]
  /** one that was begun before, with this authority and for these names */
  readonly underWay: OrderUnderWay | null
  /** the certificate that this one takes the place of, by its name of RFC 9773 §4.1 */
  readonly replaces: string | null
  /** done when safe on disk */
  readonly note: (order: OrderUnderWay | null) => Promise<void>
  /** Show all proofs; done when everybody who may be asked shows them. What comes back takes them away. */
  readonly show: (proofs: readonly Proof[]) => Promise<() => void>
  readonly signal: AbortSignal
  readonly log: Log
}

const ORDER_LIMIT_MS = 15 * 60_000
const POLL_FIRST_MS = 100
const POLL_MOST_MS = 10_000
const NAMES_LIMIT = 100
const LISTED_LIMIT = 10

/**
 * Bring an order to its end: from the beginning, or from where it stands.
 *
 * @throws {AcmeError} when the authority refuses; the order is given up then
 * @throws {AcmeError} when it cannot be reached; the order stays under way
 */
export async function issue(options: IssueOptions): Promise<Certificate> {
  const { client, account, note, log, signal } = options
  const signer = await account.signer()
  const begun = await begin(options, signer)
  const deadline = performance.now() + ORDER_LIMIT_MS
  let order = begun.order
  let retryAfterMs: number | null = null
  for (let waitMs = POLL_FIRST_MS; performance.now() < deadline; ) {
    const step = nextStep(order)
    log('debug', 'acme: order', { order: begun.url, status: order.status, next: step.do })
    if (step.do === 'give up') throw new AcmeError((await refusalIn(order, client, signer)) ?? step.problem)
    if (step.do === 'download') {
      const { body } = await client.post(step.url, signer)
      return { key: begun.key, chain: String(body) }
    }
    if (step.do === 'authorize') {
      await authorize(order, options, signer)
    } else if (step.do === 'finalize') {
      const csr = encodeRequest(begun.names, createPrivateKey(begun.key)).toString('base64url')
      await client.post(order.finalize, signer, { csr })
    } else {
      waitMs = await waitFor(waitMs, retryAfterMs, signal)
    }
    const answer = await client.post(begun.url, signer)
    retryAfterMs = answer.retryAfterMs
    order = read(readOrder(answer.body))
  }
  await note(null)
  throw new AcmeError(problem('unreachable', `The order took more than ${ORDER_LIMIT_MS / 60_000} minutes.`))
}

type Begun = {
  readonly order: Order
  readonly url: string
  readonly key: string
  readonly names: readonly string[]
}

/** Take up the order under way, or place a new one. */
async function begin(options: IssueOptions, signer: Prover): Promise<Begun> {
  const { client, underWay, authority, names, note } = options
  if (underWay?.url != null) {
    const { url, key } = underWay
    const found = await client.post(url, signer).catch((error: unknown) => {
      // One that the authority has forgotten is no loss; one that cannot be asked about now is waited for.
      if (error instanceof AcmeError && error.problem.type !== 'unreachable') return null
      throw error
    })
    const order = found === null ? null : read(readOrder(found.body))
    if (order !== null && order.status !== 'invalid') return { order, url, key, names: underWay.names }
  }
  const placed = underWay?.url === null ? await findPlaced(options, signer).catch(() => null) : null
  if (placed !== null) {
    await note({ ...underWay!, url: placed.url })
    return { ...placed, key: underWay!.key, names }
  }
  const key = underWay?.url === null ? underWay.key : await newKey(options.keyType)
  const begun = { authority: authority.directory, names, key, url: null }
  await note(begun)
  const { order, url } = await place(options, signer)
  await note({ ...begun, url })
  return { order, url, key, names }
}

/**
 * Find an order that was placed, and whose URL was not heard before we were killed: where the account lists its orders
 * (RFC 8555 §7.1.2.1), the last of them that is open and for the same names.
 */
async function findPlaced(
  { client, names }: IssueOptions,
  signer: Prover,
): Promise<{ order: Order; url: string } | null> {
  const { body: account } = await client.post(signer.kid, signer)
  const list = isMembers(account) ? textOf(account, 'orders') : undefined
  if (list === undefined) return null
  const { body } = await client.post(list, signer)
  const urls = isMembers(body) ? textsOf(body, 'orders') : []
  for (const url of urls.slice(-LISTED_LIMIT).reverse()) {
    const order = read(readOrder((await client.post(url, signer)).body))
    const isOpen = order.status === 'pending' || order.status === 'ready'
    if (isOpen && sameNames(order.names, names)) return { order, url }
  }
  return null
}

async function place(
  { client, authority, names, replaces }: IssueOptions,
  signer: Prover,
): Promise<{ order: Order; url: string }> {
  const { newOrder, profiles, renewalInfo } = await client.directory()
  const { profile } = authority
  if (profile !== undefined && !Object.hasOwn(profiles, profile)) {
    const known = Object.keys(profiles).join(', ')
    throw new AcmeError(
      problem('invalidProfile', `"${profile}" is not among ${known || 'its profiles: it has none'}.`),
    )
  }
  const payload = {
    identifiers: names.map((value) => ({ type: 'dns', value })),
    ...(profile === undefined ? {} : { profile }),
  }
  const predecessor = replaces === null || renewalInfo === undefined ? {} : { replaces }
  const answer = await client
    .post(newOrder, signer, { ...payload, ...predecessor })
    .catch((error: unknown) => {
      // RFC 9773 §5: another order has taken its place already; or the authority does not know it.
      const mayRepeat =
        error instanceof AcmeError && /^(alreadyReplaced|malformed|unauthorized)$/.test(error.problem.type)
      if (replaces === null || !mayRepeat) throw error
      return client.post(newOrder, signer, payload)
    })
  if (answer.location === undefined)
    throw new AcmeError(problem('unreachable', 'newOrder gave no Location (RFC 8555 §7.4).'))
  return { order: read(readOrder(answer.body)), url: answer.location }
}

/** Prove every name of an order, all at once, and wait until the authority has seen it. */
async function authorize(order: Order, options: IssueOptions, signer: Prover): Promise<void> {
  const { client, challenges, show, log } = options
  const proofs: Proof[] = []
  const answers: string[] = []
  const open: string[] = []
  for (const url of order.authorizations.slice(0, NAMES_LIMIT)) {
    const authorization = await authorizationAt(url, client, signer)
    const step = nextForName(authorization, challenges)
    if (step.do === 'give up') throw new AcmeError(step.problem)
    if (step.do === 'nothing') continue
    proofs.push(await prove(step.challenge, authorization.name, signer, authorization.isWildcard))
    if (!step.answered) answers.push(step.challenge.url)
    open.push(url)
  }
  if (open.length === 0) return
  log('debug', 'acme: proofs', { names: order.names.join(' '), proofs: proofs.length })
  const takeAway = await show(proofs)
  try {
    for (const url of answers) await client.post(url, signer, {})
    for (const url of open) await settle(url, options, signer)
  } finally {
    takeAway()
  }
}

/** Wait until the authority has looked. */
async function settle(
  url: string,
  { client, challenges, signal }: IssueOptions,
  signer: Prover,
): Promise<void> {
  const deadline = performance.now() + ORDER_LIMIT_MS
  for (let waitMs = POLL_FIRST_MS; performance.now() < deadline; ) {
    const step = nextForName(await authorizationAt(url, client, signer), challenges)
    if (step.do === 'nothing') return
    if (step.do === 'give up') throw new AcmeError(step.problem)
    waitMs = await waitFor(waitMs, null, signal)
  }
  throw new AcmeError(problem('unreachable', 'It did not look at the proofs in time.'))
}

async function authorizationAt(url: string, client: AcmeClient, signer: Prover): Promise<Authorization> {
  return read(readAuthorization((await client.post(url, signer)).body))
}

/** An order that failed may say so only in the authorization that did. */
async function refusalIn(
  { problem: told, authorizations }: Order,
  client: AcmeClient,
  signer: Prover,
): Promise<AcmeError['problem'] | null> {
  if (told !== undefined) return told
  for (const url of authorizations.slice(0, NAMES_LIMIT)) {
    const { challenges } = await authorizationAt(url, client, signer)
    const failed = challenges.find(({ problem: found }) => found !== undefined)
    if (failed?.problem !== undefined) return failed.problem
  }
  return null
}

/** @returns how long to wait next time */
async function waitFor(waitMs: number, retryAfterMs: number | null, signal: AbortSignal): Promise<number> {
  await pause(Math.min(retryAfterMs ?? waitMs, POLL_MOST_MS), undefined, { signal })
  return Math.min(waitMs * 2, POLL_MOST_MS)
}

function read<Value>(value: Value | string): Value {
  if (typeof value === 'string') throw new AcmeError(problem('unreachable', value))
  return value
}

async function newKey(type: KeyType): Promise<string> {
  const make = promisify(generateKeyPair)
  const { privateKey } =
    type === 'rsa' ? await make('rsa', { modulusLength: 2048 }) : await make('ec', { namedCurve: 'P-256' })
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}
