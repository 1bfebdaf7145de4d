import { Command, CommanderError } from 'commander'
import { ConfigError } from '../config.ts'
import { DumpError } from '../db/dump/format.ts'
import { EmbeddedPostgresError } from '../db/embedded/index.ts'
import { isContended, isForbidden, isOutage, isSchemaMissing } from '../db/failures.ts'
import { CodedError } from '../errors.ts'
import { LogFileError } from '../logging/log-file.ts'
import { version } from '../version.ts'
import { CommandError, exitCodes } from './exit.ts'
import { isInterrupted } from './interruption.ts'
import { print } from './output.ts'
import type { Surroundings } from './surroundings.ts'

type CreateCommand = (surroundings: Surroundings) => Command

/** Each is loaded when it is asked for, and all of them for the help: the service needs nothing of the others. */
const commands = new Map<string, () => Promise<CreateCommand>>([
  ['serve', async () => (await import('./serve.ts')).serveCommand],
  ['migrate', async () => (await import('./migrate.ts')).migrateCommand],
  ['users', async () => (await import('./users.ts')).usersCommand],
  ['keys', async () => (await import('./keys.ts')).keysCommand],
  ['audit', async () => (await import('./audit.ts')).auditCommand],
  ['db', async () => (await import('./db.ts')).dbCommand],
  ['hash', async () => (await import('./hash.ts')).hashCommand],
  ['secret', async () => (await import('./secret.ts')).secretCommand],
  ['openapi', async () => (await import('./openapi.ts')).openapiCommand]
])

async function loadCommands (name: string | undefined): Promise<CreateCommand[]> {
  const load = name === undefined ? undefined : commands.get(name)
  return await Promise.all(load === undefined ? [...commands.values()].map(async load => await load()) : [load()])
}

/** The error beneath all others. */
const rootOf = (error: Error): Error => error.cause instanceof Error ? rootOf(error.cause) : error

/** True where a file or folder is the matter; the drivers name a socket otherwise. */
const isFileError = (error: Error): boolean => 'path' in error && 'syscall' in error && error.syscall !== 'connect'

/** Errors whose message says what to do. */
const forPeople = [CommandError, ConfigError, DumpError, EmbeddedPostgresError, LogFileError]

/** What to tell a person of an error: those that we foresaw say what to do, the others show where they come from. */
function explain (error: unknown): string {
  if (forPeople.some(kind => error instanceof kind) && error instanceof Error) return error.message
  if (error instanceof Error && isFileError(rootOf(error))) return `A file or folder cannot be used: ${rootOf(error).message}`
  if (isSchemaMissing(error)) return 'The database lacks what this release needs: run "auth-serve migrate up" first.'
  if (isOutage(error)) return `The database cannot be reached: ${rootOf(error).message}`
  if (error instanceof Error && isForbidden(error)) return `The role of DATABASE_URL may not do this: ${rootOf(error).message}. It has to own the schema, or be given the right.`
  if (isContended(error)) return 'Others hold what this command needs of the database; nothing was changed. Try again.'
  if (error instanceof CodedError) {
    const fields = (error.errors ?? []).map(({ message }) => message)
    // That of wrong input only says that it is.
    return error.code === 'INVALID_INPUT' && fields.length > 0 ? fields.join('\n') : [error.message, ...fields.map(message => `- ${message}`)].join('\n')
  }
  if (error instanceof Error && 'syscall' in error && error.syscall === 'listen') return `The service cannot listen: ${error.message}. Choose another HOST or PORT.`
  return error instanceof Error ? error.stack ?? error.message : String(error)
}

function exitCodeOf (error: unknown): number {
  if (error instanceof CommandError) return error.exitCode
  return error instanceof ConfigError ? exitCodes.misuse : exitCodes.failed
}

const withSubcommands = (command: Command): Command[] => [command, ...command.commands.flatMap(withSubcommands)]

async function createProgram (surroundings: Surroundings, name: string | undefined): Promise<Command> {
  const program = new Command('auth-serve')
    .description('An authentication service on Fastify and PostgreSQL. Configuration comes from the environment; see docs/reference/configuration.md.')
    .version(version)
    .addHelpText('after', '\nExit codes: 0 done, 1 failed, 2 misuse (a wrong command or configuration). Results go to stdout, all else to stderr.')
  for (const create of await loadCommands(name)) program.addCommand(create(surroundings))
  for (const command of withSubcommands(program)) {
    command.showHelpAfterError('(add --help for what this command takes)').exitOverride().configureOutput({
      writeOut: text => { surroundings.stdout.write(text) },
      writeErr: text => { surroundings.stderr.write(text) }
    })
  }
  return program
}

/** Runs a command to its end; answers its exit code. What went wrong was told on stderr. */
export async function runCommand (args: readonly string[], surroundings: Surroundings): Promise<number> {
  try {
    const program = await createProgram(surroundings, args[0])
    await program.parseAsync(args, { from: 'user' })
    return exitCodes.done
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.misuse
    if (!isInterrupted()) print(surroundings.stderr, explain(error))
    return exitCodeOf(error)
  }
}
