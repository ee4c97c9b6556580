import type { GroupSetting, MapSetting, Setting } from '#core/settings.ts'
import type { Algorithm } from '../wire/tsig.ts'

/** Where a secret is: never in the file itself. */
export type SecretConfig = { readonly file?: string; readonly env?: string }

export type KeyConfig = { readonly algorithm: Algorithm; readonly secret: SecretConfig }

export type KeysConfig = Readonly<Record<string, KeyConfig>>

/** To whom a zone goes. */
export type TransferConfig = {
  readonly to?: readonly string[]
  readonly key?: string
  readonly notify?: readonly string[]
}

/** Where a zone comes from. */
export type SecondaryConfig = { readonly from: readonly string[]; readonly key?: string }

export type UpdateConfig = { readonly keys: readonly string[]; readonly names?: readonly string[] }

/** Settings of a domain about how its zone moves. */
export type MovesConfig = {
  readonly transfer?: TransferConfig
  readonly secondary?: SecondaryConfig
  readonly update?: UpdateConfig
  readonly catalog: boolean
}

const keyName: Setting = { type: 'text', doc: 'Name of one of "keys".', example: 'transfer' }

const server: Setting = {
  type: 'text',
  doc: 'Address of a name server, with a port where that is not 53.',
  example: '192.0.2.53',
}

/** `keys` of the file. */
export const keySettings: MapSetting = {
  type: 'map',
  doc: 'Secrets that are shared with other name servers (TSIG, RFC 8945).',
  keys: 'name of the key, the same on both sides',
  example: { transfer: { secret: { file: './transfer.key' } } },
  of: {
    type: 'group',
    doc: 'A key.',
    required: ['secret'],
    example: { secret: { file: './transfer.key' } },
    fields: {
      algorithm: {
        type: 'choice',
        doc: 'How messages are signed.',
        values: ['hmac-sha256', 'hmac-sha384', 'hmac-sha512'],
        initial: 'hmac-sha256',
        source: 'RFC 8945 §6',
      },
      secret: {
        type: 'group',
        doc: 'Where the secret is, in base64.',
        oneOf: ['file', 'env'],
        example: { file: './transfer.key' },
        fields: {
          file: { type: 'text', path: 'file', doc: 'File beside this one.', example: './transfer.key' },
          env: { type: 'text', doc: 'Variable of the environment.', example: 'TRANSFER_KEY' },
        },
      },
    },
  },
}

const transferGroup: GroupSetting = {
  type: 'group',
  doc: 'Who may copy the zone (AXFR, RFC 5936; IXFR, RFC 1995), and who is told when it changes. Copies have all members of pools, the addresses of ALIAS, and, where the domain is signed, signatures and a chain of NSEC.',
  example: { to: ['192.0.2.53'], key: 'transfer' },
  fields: {
    to: {
      type: 'list',
      doc: 'Addresses and networks (CIDR) that may. Without it everyone who has the key.',
      of: { type: 'text', doc: 'Address or network.', example: '192.0.2.53' },
      single: true,
      max: 64,
      example: ['192.0.2.53'],
    },
    key: { ...keyName, doc: 'One of "keys", which must sign the request. Without it the address is enough.' },
    notify: {
      type: 'list',
      doc: 'Servers that are told when the zone changed (NOTIFY, RFC 1996); the addresses in "to" when absent.',
      of: server,
      single: true,
      max: 64,
      example: ['192.0.2.53'],
    },
  },
}

/** One form alone, so that a domain that says nothing of it has none. */
const transfer: Setting = {
  type: 'either',
  doc: transferGroup.doc,
  example: transferGroup.example,
  of: [transferGroup],
}

const secondary: GroupSetting = {
  type: 'group',
  doc: 'The zone is copied from other servers, which hold it as primaries: it has no "records" here.',
  required: ['from'],
  example: { from: ['192.0.2.1'], key: 'transfer' },
  fields: {
    from: {
      type: 'list',
      doc: 'Primaries, asked in this order; a NOTIFY of one of them is believed.',
      of: server,
      single: true,
      max: 16,
      example: ['192.0.2.1'],
    },
    key: { ...keyName, doc: 'One of "keys", which signs what is asked and answered.' },
  },
}

const update: GroupSetting = {
  type: 'group',
  doc: 'Who may change records by dynamic update (RFC 2136); changes are kept in state, and win over this file.',
  required: ['keys'],
  example: { keys: ['home'], names: ['home'] },
  fields: {
    keys: {
      type: 'list',
      doc: 'Which of "keys" may.',
      of: keyName,
      single: true,
      max: 64,
      example: ['home'],
    },
    names: {
      type: 'list',
      doc: 'Owners below the domain that may be changed, "*.dyn" for all below "dyn"; all when absent.',
      of: { type: 'text', doc: 'Owner.', example: 'home' },
      single: true,
      max: 256,
      example: ['home', '*.dyn'],
    },
  },
}

/** What a domain says of how its zone moves. */
export const moveSettings: Readonly<Record<'transfer' | 'secondary' | 'update' | 'catalog', Setting>> = {
  transfer,
  secondary,
  update,
  catalog: {
    type: 'flag',
    doc: 'The domain is a catalog (RFC 9432): it lists the other domains with "transfer", so that secondaries that read it serve them too. With "secondary" it is read here: the zones that it lists are copied from the same primaries.',
    initial: false,
  },
}
