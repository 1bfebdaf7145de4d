import { readEnvironment } from '../config.ts'

/** A stream that may be a terminal. */
export type Input = NodeJS.ReadableStream & { isTTY?: boolean }
export type Output = NodeJS.WritableStream & { isTTY?: boolean }

/** What a command reads and where it writes: those of the process, or those that a test gives it. */
export interface Surroundings {
  /** The settings; throws ConfigError where they cannot be read. */
  env(): NodeJS.ProcessEnv
  stdin: Input
  /** Results, and nothing else. */
  stdout: Output
  stderr: Output
}

export const processSurroundings: Surroundings = {
  env: () => readEnvironment(),
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr
}
