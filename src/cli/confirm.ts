import { createInterface } from 'node:readline/promises'
import { CommandError, misuse } from './exit.ts'
import type { Surroundings } from './surroundings.ts'

/** Option of every command that destroys something. */
export interface ConfirmOptions { yes?: boolean }

/** How `--yes` is declared. */
export const yesOption = ['--yes', 'do not ask'] as const

/**
 * Asks before something is destroyed; resolves once that is wanted. Throws CommandError: where the answer is no, and
 * (exit code 2) where there is no terminal to ask on and `--yes` was not given.
 */
export async function confirm ({ stdin, stderr }: Pick<Surroundings, 'stdin' | 'stderr'>, question: string, { yes = false }: ConfirmOptions): Promise<void> {
  if (yes) return
  if (stdin.isTTY !== true) throw misuse(`${question} There is no terminal to ask on; say --yes if it is wanted.`)
  const terminal = createInterface({ input: stdin, output: stderr })
  // Ctrl-C and the end of the input are a no.
  const closed = new Promise<string>(resolve => terminal.once('close', () => resolve('')))
  try {
    const answer = await Promise.race([terminal.question(`${question} [y/N] `), closed])
    if (!/^y(es)?$/i.test(answer.trim())) throw new CommandError('Nothing was changed.')
  } finally {
    terminal.close()
  }
}
