import {
  challengesSetting,
  type IssuerConfig,
  issuerSetting,
  type OnDemandConfig,
  onDemandSetting,
} from '#acme/config.ts'
import type { AcmePlan, ChallengeType } from '#acme/plan.ts'
import type { GroupSetting } from '#core/settings.ts'
import type { TlsLimits, UnknownNames } from './plan.ts'

/** What `certificates` in the file says, after reading; durations in milliseconds. */
export type CertificatesConfig = {
  readonly issuer: IssuerConfig
  readonly challenges: readonly ChallengeType[]
  readonly files: readonly { readonly cert: string; readonly key: string }[]
  readonly onDemand?: OnDemandConfig
  readonly keyType: AcmePlan['keyType']
  readonly unknownNames: UnknownNames
  readonly lifetime: number
  readonly sessionTimeout: number
  readonly handshakeTimeout: number
  readonly contexts: number
}

const HOUR = 3_600_000
const DAY = 24 * HOUR

/** Settings of certificates and of the TLS that uses them. */
export const certificateSettings: GroupSetting = {
  type: 'group',
  doc: 'Who issues the certificates of the hosts, and how TLS uses them.',
  fields: {
    issuer: issuerSetting,
    challenges: challengesSetting,
    files: {
      type: 'list',
      doc: 'Certificates brought as files (PEM): they serve the names that they have, and are read again when they change.',
      of: {
        type: 'group',
        doc: 'A certificate with its key.',
        required: ['cert', 'key'],
        fields: {
          cert: { type: 'text', doc: 'The chain, the leaf first.', example: './example.com.pem' },
          key: { type: 'text', doc: 'The private key.', example: './example.com.key' },
        },
        elsewhere: {
          chain: 'cert',
          certificate: 'cert',
          fullchain: 'cert',
          privateKey: 'key',
          private_key: 'key',
        },
      },
      initial: [],
      max: 1000,
    },
    onDemand: onDemandSetting,
    keyType: {
      type: 'choice',
      doc: 'Keys of certificates from authorities: ECDSA with P-256, or RSA with 2048 bits for clients that know no other. With "both" there are two certificates, and each client gets the one that it can use.',
      values: ['ecdsa', 'rsa', 'both'],
      initial: 'ecdsa',
    },
    unknownNames: {
      type: 'choice',
      doc: 'What a client gets that asks for a name without certificate: "refuse" is the alert unrecognized_name (RFC 6066 §3), "default" the first certificate of the file, which the client will not trust for that name, "close" a closed connection without a word.',
      values: ['refuse', 'default', 'close'],
      initial: 'refuse',
    },
    lifetime: {
      type: 'duration',
      doc: 'How long a certificate of the local authority lasts; a new one is issued after two thirds.',
      initial: 7 * DAY,
      min: HOUR,
      max: 397 * DAY,
      source: 'short, because it cannot be revoked; browsers refuse more than 398 days',
    },
    sessionTimeout: {
      type: 'duration',
      doc: 'How long a client may resume a session with its ticket; the ticket keys are renewed as often.',
      initial: DAY,
      min: 60_000,
      max: 7 * DAY,
      source: 'RFC 8446 §4.6.1 allows 7 days; one day is the advice of Mozilla',
    },
    handshakeTimeout: {
      type: 'duration',
      doc: 'A handshake that takes longer is given up.',
      initial: 10_000,
      min: 1000,
      max: 120_000,
      source: 'several retransmits on a poor mobile network',
    },
    contexts: {
      type: 'integer',
      doc: 'How many certificates are kept ready; the one unused for longest is dropped and issued again when asked for.',
      initial: 4096,
      min: 16,
      max: 100_000,
      unit: 'certificates',
      source: '33 KB each, measured',
    },
  },
}

/** The limits of the plan as they were written or defaulted. */
export function tlsLimits(config: CertificatesConfig): TlsLimits {
  return {
    lifetimeMs: config.lifetime,
    sessionTimeoutMs: config.sessionTimeout,
    handshakeTimeoutMs: config.handshakeTimeout,
    contexts: config.contexts,
  }
}
