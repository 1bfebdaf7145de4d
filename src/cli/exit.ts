/** Exit codes that a script can rely on. */
export const exitCodes = { done: 0, failed: 1, misuse: 2 } as const

/** What a person is to read instead of a stack, with the exit code of the command. */
export class CommandError extends Error {
  readonly exitCode: number

  constructor (message: string, exitCode: number = exitCodes.failed) {
    super(message)
    this.name = 'CommandError'
    this.exitCode = exitCode
  }
}

/** The command was given in a way in which it cannot be carried out: exit code 2. */
export const misuse = (message: string): CommandError => new CommandError(`error: ${message}`, exitCodes.misuse)
