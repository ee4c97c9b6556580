import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { hashPassword } from '#access/password.ts'
import { type Command, UsageError } from '#cli/command.ts'
import { print } from '#cli/print.ts'

/** `portico hash-password` */
export const hashPasswordCommand: Command = {
  name: 'hash-password',
  summary: 'Hash a password for "access": { "basic": { "users": … } }.',
  usage: '',
  options: {},
  examples: ['portico hash-password', 'printf %s "$PASSWORD" | portico hash-password'],
  async run() {
    const password = process.stdin.isTTY === true ? await askTwice() : await readLine()
    print(await hashPassword(password))
    return 0
  },
}

/** A password longer than any person types. */
const LIMIT_OCTETS = 1024

/** The first line of stdin, without its end. */
async function readLine(): Promise<string> {
  let text = ''
  for await (const part of process.stdin.setEncoding('utf8')) {
    text += part
    if (text.length > LIMIT_OCTETS || text.includes('\n')) break
  }
  return checkPassword(text.split(/\r?\n/, 1)[0] ?? '')
}

async function askTwice(): Promise<string> {
  const silent = new Writable({ write: (_octets, _encoding, done) => done() })
  const reader = createInterface({ input: process.stdin, output: silent, terminal: true })
  reader.once('SIGINT', () => process.exit(130))
  const ask = async (text: string): Promise<string> => {
    process.stderr.write(text)
    const line = await reader.question('')
    process.stderr.write('\n')
    return line
  }
  try {
    const password = checkPassword(await ask('Password: '))
    if (password === (await ask('Again: '))) return password
    throw new UsageError('The two are not the same.')
  } finally {
    reader.close()
  }
}

/** RFC 7617 §2: what cannot be sent as a password. */
function checkPassword(password: string): string {
  if (password === '') throw new UsageError('The password is empty.')
  if (Buffer.byteLength(password) > LIMIT_OCTETS)
    throw new UsageError(`The password has more than ${LIMIT_OCTETS} octets.`)
  if (/\p{Cc}/u.test(password))
    throw new UsageError('The password has control characters, which no browser sends.')
  return password
}
