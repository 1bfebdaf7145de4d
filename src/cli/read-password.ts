import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { Surroundings } from './surroundings.ts'

/** The first line of standard input, without its line end. */
export async function readPasswordFromStdin ({ stdin }: Pick<Surroundings, 'stdin'>): Promise<string> {
  return (await text(stdin)).split(/\r?\n/, 1)[0] ?? ''
}

/** Asks for a password on the terminal without showing what is typed. */
export async function promptForPassword ({ stdin, stderr }: Pick<Surroundings, 'stdin' | 'stderr'>): Promise<string> {
  const unseen = new Writable({ write: (_chunk, _encoding, done) => done() })
  const terminal = createInterface({ input: stdin, output: unseen, terminal: true })
  try {
    stderr.write('Password: ')
    return await terminal.question('')
  } finally {
    terminal.close()
    stderr.write('\n')
  }
}
