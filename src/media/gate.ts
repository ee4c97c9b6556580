import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { LEAST_SECRET, secretIn } from '#bucket/plan.ts'
import { isSignedBy, readUrlGrant, signUrl, type UrlGrant } from '#bucket/wire/signed-url.ts'
import type { Log } from '#core/log.ts'
import type { Request } from '#http/exchange.ts'
import type { SignKeyPlan } from './plan.ts'
import { MediaFault } from './wire/fault.ts'

/** Lets in who has a signed URL, and signs what stands in playlists. */
export type Gate = {
  /**
   * Look at the signature of a request.
   *
   * @param asset path of the film that it is about
   * @param beside path of another one that is read with it
   * @returns what is added to the URLs of everything that belongs to the film, good for as long as that signature
   * @throws {MediaFault} 403 when there is none, or one that is wrong or over
   */
  admit(request: Request, asset: string, nowMs: number, beside?: string): string
}

/** The secret of a key: the first line of its file. @throws {Error} when it cannot be read, or is short */
export function readSecret(folder: string, file: string): string {
  const secret = secretIn(readFileSync(resolve(folder, file), 'utf8'))
  if (secret.length < LEAST_SECRET) throw new Error(`the secret is shorter than ${LEAST_SECRET} characters`)
  return secret
}

/** @returns null when nothing need be signed; a key that cannot be read opens nothing, and the log says so */
export function createGate(plans: readonly SignKeyPlan[], folder: string, log: Log): Gate | null {
  if (plans.length === 0) return null
  const keys = new Map<string, { readonly secret: string; readonly prefix: string }>()
  for (const { id, secretFile, prefix } of plans) {
    try {
      keys.set(id, { secret: readSecret(folder, secretFile), prefix })
    } catch (error) {
      log('error', 'stream/key', { key: id, file: secretFile, error: String(error) })
    }
  }
  return {
    admit({ target, host }, asset, nowMs, beside = asset) {
      const [path = '', query = ''] = target.split(/\?(.*)/s, 2)
      const claimed = readUrlGrant(new URLSearchParams(query))
      if (claimed === null) throw new MediaFault('This film is for those who have a signed URL', 403)
      const key = keys.get(claimed.keyId)
      const isRight = key !== undefined && isSignedBy(claimed, host, path, key.secret)
      if (!isRight || claimed.allow !== 'read')
        throw new MediaFault('The signature of this URL is not right', 403)
      if (claimed.expires * 1000 <= nowMs)
        throw new MediaFault('This URL was good until a time that is over', 403)
      const { keyId, allow, expires } = claimed
      // Renditions, sound and subtitles have the name of the film, and more behind a dot.
      const prefix = claimed.prefix ?? asset.slice(1).replace(/[^./]+$/, '')
      const isInside = [path, beside].every((read) => read.slice(1).startsWith(prefix))
      if (!isInside || !prefix.startsWith(key.prefix))
        throw new MediaFault('The signature of this URL is for other films', 403)
      const grant: UrlGrant = { keyId, allow, expires, prefix }
      return `?${signUrl(grant, host, path, key.secret)}`
    },
  }
}
