import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { CommandError } from './exit.ts'
import type { Surroundings } from './surroundings.ts'

/** The first line of standard input, without its line end. */
export async function readPasswordFromStdin ({ stdin }: Pick<Surroundings, 'stdin'>): Promise<string> {
  return (await text(stdin)).split(/\r?\n/, 1)[0] ?? ''
}

/** Asks for a password on the terminal without showing what is typed. Throws CommandError where none is given (Ctrl-C, Ctrl-D). */
export async function promptForPassword ({ stdin, stderr }: Pick<Surroundings, 'stdin' | 'stderr'>): Promise<string> {
  const unseen = new Writable({ write: (_chunk, _encoding, done) => done() })
  const terminal = createInterface({ input: stdin, output: unseen, terminal: true })
  const closed = new Promise<undefined>(resolve => terminal.once('close', () => resolve(undefined)))
  try {
    stderr.write('Password: ')
    const password = await Promise.race([terminal.question('').catch(() => undefined), closed])
    if (password === undefined) throw new CommandError('No password was given; nothing was changed.')
    return password
  } finally {
    terminal.close()
    stderr.write('\n')
  }
}
