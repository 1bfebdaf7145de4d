#!/usr/bin/env node
import { Command, CommanderError } from 'commander'
import { auditCommand } from './cli/audit.ts'
import { keysCommand } from './cli/keys.ts'
import { migrateCommand } from './cli/migrate.ts'
import { openapiCommand } from './cli/openapi.ts'
import { secretCommand } from './cli/secret.ts'
import { serveCommand } from './cli/serve.ts'
import { usersCommand } from './cli/users.ts'
import { ConfigError } from './config.ts'
import { EmbeddedPostgresError } from './db/embedded/index.ts'
import { isOutage } from './db/failures.ts'
import { CodedError } from './errors.ts'
import { LogFileError } from './logging/log-file.ts'
import { version } from './version.ts'

/** Exit codes that a script can rely on. */
const failed = 1
const misuse = 2

const program = new Command('auth-serve')
  .description('An authentication service on Fastify and PostgreSQL. Configuration comes from the environment; see docs/reference/configuration.md.')
  .version(version)
  .showHelpAfterError('(add --help for what this command takes)')
  .exitOverride()
  .addCommand(serveCommand)
  .addCommand(migrateCommand)
  .addCommand(usersCommand)
  .addCommand(keysCommand)
  .addCommand(auditCommand)
  .addCommand(secretCommand)
  .addCommand(openapiCommand)

/** The error beneath all others. */
const rootOf = (error: Error): Error => error.cause instanceof Error ? rootOf(error.cause) : error

/** What to tell a person of an error: those that we foresaw say what to do, the others show where they come from. */
function explain (error: unknown): string {
  if (error instanceof ConfigError || error instanceof EmbeddedPostgresError || error instanceof LogFileError) return error.message
  if (isOutage(error)) return `The database cannot be reached: ${rootOf(error).message}`
  if (error instanceof CodedError) return [error.message, ...(error.errors ?? []).map(({ message }) => `- ${message}`)].join('\n')
  if (error instanceof Error && 'syscall' in error && error.syscall === 'listen') return `The service cannot listen: ${error.message}. Choose another HOST or PORT.`
  return error instanceof Error ? error.stack ?? error.message : String(error)
}

// A reader that goes away early, such as head, is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => { process.exit(error.code === 'EPIPE' ? 0 : failed) })

try {
  for (const command of [program, ...program.commands].flatMap(command => [command, ...command.commands])) command.exitOverride()
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : misuse
  } else {
    process.stderr.write(`${explain(error)}\n`)
    process.exitCode = error instanceof ConfigError ? misuse : failed
  }
}
