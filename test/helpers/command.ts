import { PassThrough, Readable } from 'node:stream'
import { buffer, text } from 'node:stream/consumers'
import { runCommand } from '../../src/cli/program.ts'
import type { Finished } from './service.ts'

export interface CommandOptions {
  /** What is piped in, or, on a terminal, typed. */
  input?: string | Buffer
  /** Whether stdin and stderr are a terminal. */
  terminal?: boolean
}

/** Runs a command of the command line in this very process. No `.env` file and nothing of the process's environment counts. */
export async function command (args: readonly string[], env: Record<string, string> = {}, { input = '', terminal = false }: CommandOptions = {}): Promise<Finished & { bytes: Buffer }> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const stdin = Readable.from([Buffer.from(input)])
  const read = Promise.all([buffer(stdout), text(stderr)])
  const code = await runCommand(args, {
    env: () => env,
    stdin: Object.assign(stdin, { isTTY: terminal }),
    stdout,
    stderr: Object.assign(stderr, { isTTY: terminal })
  })
  stdout.end()
  stderr.end()
  const [bytes, told] = await read
  return { code, stdout: bytes.toString(), stderr: told, bytes }
}
