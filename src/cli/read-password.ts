import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { text } from 'node:stream/consumers'

/** The first line of standard input, without its line end. */
export async function readPasswordFromStdin (): Promise<string> {
  return (await text(process.stdin)).split(/\r?\n/, 1)[0] ?? ''
}

/** Asks for a password on the terminal without showing what is typed. */
export async function promptForPassword (): Promise<string> {
  const unseen = new Writable({ write: (_chunk, _encoding, done) => done() })
  const terminal = createInterface({ input: process.stdin, output: unseen, terminal: true })
  try {
    process.stderr.write('Password: ')
    return await terminal.question('')
  } finally {
    terminal.close()
    process.stderr.write('\n')
  }
}
