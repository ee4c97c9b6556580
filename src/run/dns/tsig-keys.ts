import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { printPosition } from '#core/problem.ts'
import type { KeyPlan } from '#dns/transfer/plan.ts'
import type { TsigKey, TsigKeys } from '#dns/wire/tsig.ts'

/** A secret should be as long as the hash gives; far shorter ones are guessed. */
const SECRET_MIN_OCTETS = 8

/**
 * Read the secrets of keys.
 *
 * @param folder that relative paths start from
 * @throws {Error} when one cannot be had; what serves stays as it is
 */
export async function readTsigKeys(plans: readonly KeyPlan[], folder: string): Promise<TsigKeys> {
  const keys = await Promise.all(plans.map((plan) => readKey(plan, folder)))
  return new Map(keys.map((key) => [key.name, key]))
}

async function readKey({ name, algorithm, secret, from }: KeyPlan, folder: string): Promise<TsigKey> {
  const at = `${printPosition(from)}: the key "${name.slice(0, -1)}"`
  const text =
    secret.env === undefined ? await readSecretFile(secret.file!, folder, at) : process.env[secret.env]
  if (text === undefined) throw new Error(`${at} is in the variable ${secret.env}, which is not set.`)
  const base64 = text.trim()
  const octets = Buffer.from(base64, 'base64')
  // Node leaves out what is no base64, which would make another secret.
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64) || octets.length < SECRET_MIN_OCTETS)
    throw new Error(
      `${at} has a secret that is no base64 of ${SECRET_MIN_OCTETS} octets or more; "openssl rand -base64 32" makes one.`,
    )
  return { name, algorithm, secret: octets }
}

async function readSecretFile(file: string, folder: string, at: string): Promise<string> {
  try {
    return await readFile(resolve(folder, file), 'utf8')
  } catch (error) {
    throw new Error(`${at} cannot be read: ${error instanceof Error ? error.message : error}.`, {
      cause: error,
    })
  }
}
