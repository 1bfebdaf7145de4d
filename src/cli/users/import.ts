import { readFile } from 'node:fs/promises'
import { Command, InvalidArgumentError, Option } from 'commander'
import { codeOf } from '../../code-of.ts'
import { loadConfig, type Config } from '../../config.ts'
import { readRoles } from '../../config/role-definitions.ts'
import { ownFormats, readers } from '../../import/formats.ts'
import { createJudgePerson } from '../../import/judge-person.ts'
import { formatNames, recogniseFormat, type FormatName } from '../../import/recognise.ts'
import { fingerprintOf, keepInput, openSourceFile } from '../../import/source-file.ts'
import { ImportError } from '../../import/record.ts'
import { boundsWith } from '../../passwords/foreign/index.ts'
import { createRoles } from '../../roles/roles.ts'
import { CommandError, misuse } from '../exit.ts'
import { tidyAfter } from '../interruption.ts'
import { print } from '../output.ts'
import type { Surroundings } from '../surroundings.ts'
import { runImport, type RunOptions } from './run-import.ts'

interface ImportOptions extends RunOptions {
  format?: FormatName
  mapRole: ReadonlyMap<string, string>
  hashParameters?: string
  withoutPassword?: boolean
  usernames: boolean
}

function addRole (entry: string, map: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const at = entry.lastIndexOf('=')
  if (at < 1) throw new InvalidArgumentError('It is theirs=ours, or theirs= to leave it out.')
  return new Map([...map, [entry.slice(0, at), entry.slice(at + 1)]])
}

/** The roles of this service; a mapping onto others is a mistake. */
function rolesOf ({ accounts }: Config, map: ReadonlyMap<string, string>): readonly string[] {
  const { names } = createRoles(readRoles(accounts.roles))
  const unknown = [...map.values()].find(name => name !== '' && !names.includes(name))
  if (unknown !== undefined) throw misuse(`--map-role names the role ${JSON.stringify(unknown)}; there are ${names.join(', ')}`)
  return names
}

async function readParameters (path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw misuse(`the file of --hash-parameters cannot be read (${codeOf(error)})`)
  }
}

export function importCommand (surroundings: Surroundings): Command {
  const { stdin, stderr, env } = surroundings

  async function run (path: string, options: ImportOptions): Promise<void> {
    try {
      await importFrom(path, options)
    } catch (error) {
      throw error instanceof ImportError ? new CommandError(error.message) : error
    }
  }

  async function importFrom (path: string, options: ImportOptions): Promise<void> {
    const config = loadConfig(env())
    const roles = rolesOf(config, options.mapRole)
    // Whatever our own hashes cost here, they can be brought back.
    const hashBounds = boundsWith(config.passwords)
    const hashParameters = options.hashParameters === undefined ? undefined : await readParameters(options.hashParameters)
    const source = path === '-' ? keepInput(stdin) : openSourceFile(path)
    await tidyAfter(source.close, async () => {
      await source.prepare()
      const format = options.format ?? await recogniseFormat(source.open)
      if (options.format === undefined) print(stderr, `It looks like ${format}; --format says otherwise.`)
      const { duplicates, skipInvalid = false, withoutPassword = false, usernames } = options
      const judging = { roles, sameRoles: ownFormats.includes(format), withoutPassword, withoutUsernames: !usernames }
      const meaning = { format, duplicates, skipInvalid, hashParameters, hashBounds, ...judging, roleMap: [...options.mapRole].sort() }
      await runImport(surroundings, options, {
        fingerprint: await fingerprintOf(source.open, meaning),
        read: () => readers[format](source.open, { hashParameters, hashBounds }),
        judge: createJudgePerson({ ...judging, roleMap: options.mapRole })
      })
    })
  }

  return new Command('import')
    .description('bring people in from a file, with their password hashes; nothing is written unless every record is good')
    .argument('<file>', 'an export of this service or of another system, or - for standard input')
    .addOption(new Option('--format <format>', 'format of the file; recognised by its beginning otherwise').choices(formatNames))
    .option('--dry-run', 'judge everything and write nothing')
    .addOption(new Option('--duplicates <policy>', 'what becomes of people whose e-mail is in use').choices(['skip', 'fail']).default('skip'))
    .option('--skip-invalid', 'import the good records although others are refused')
    .option('--map-role <theirs=ours>', 'give a role of theirs as one of ours, or "theirs=" for none; * is all others (repeatable)', addRole, new Map())
    .option('--without-password', 'take people whose hash is refused, without a password: they ask for a reset link')
    .option('--no-usernames', 'leave usernames out')
    .option('--hash-parameters <file>', 'password hash parameters of the Firebase project')
    .option('--report <file>', 'write what became of each record, as JSON lines')
    .option('--again', 'import a file anew that was imported before')
    .option('--json', 'the counts in JSON')
    .addHelpText('after', `
Run the same command again to go on with an import that was cut off.

Examples:
  auth-serve users import --dry-run people.ndjson
  auth-serve users import --map-role superuser=admin --map-role '*=' django.json
  auth-serve users import --hash-parameters parameters.txt --report report.ndjson firebase.json`)
    .action(run)
}
