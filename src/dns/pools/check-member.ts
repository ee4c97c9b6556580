import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect, isIP } from 'node:net'
import { whyUnreached } from '#dns/unreached.ts'
import type { MemberHealthPlan } from './plan.ts'

export type CheckResult = { readonly isGood: boolean; readonly detail: string }

/**
 * Ask a member once whether it is up: an answer with one of the statuses, or a TCP connection.
 *
 * @returns within `timeoutMs`, also when nobody answers
 */
export function checkMember(address: string, health: MemberHealthPlan): Promise<CheckResult> {
  return health.path === null ? checkTcp(address, health) : checkHttp(address, health.path, health)
}

function checkTcp(address: string, { port, timeoutMs }: MemberHealthPlan): Promise<CheckResult> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port })
    const end = (isGood: boolean, detail: string): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve({ isGood, detail })
    }
    const timer = setTimeout(() => end(false, 'no connection in time'), timeoutMs)
    socket.once('connect', () => end(true, 'connected'))
    socket.once('error', (error) => end(false, whyUnreached(error)))
  })
}

function checkHttp(address: string, path: string, health: MemberHealthPlan): Promise<CheckResult> {
  const { port, tls, status, timeoutMs } = health
  const name = health.host ?? (address.includes(':') ? `[${address}]` : address)
  return new Promise((resolve) => {
    const request = (tls ? httpsRequest : httpRequest)({
      host: address,
      port,
      path,
      headers: { Host: name, 'User-Agent': 'portico', Connection: 'close' },
      agent: false,
      setHost: false,
      ...(tls ? { rejectUnauthorized: false, servername: isIP(name) === 0 ? name : '' } : {}),
    })
    const end = (isGood: boolean, detail: string): void => {
      clearTimeout(timer)
      request.destroy()
      resolve({ isGood, detail })
    }
    const timer = setTimeout(() => end(false, 'no answer in time'), timeoutMs)
    request.once('response', ({ statusCode = 0 }) => end(status.includes(statusCode), `status ${statusCode}`))
    // What comes after the end, such as a connection that breaks, says nothing more.
    request.on('error', (error) => end(false, whyUnreached(error)))
    request.end()
  })
}
