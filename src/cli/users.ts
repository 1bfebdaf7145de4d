import { Command, Option } from 'commander'
import { createCreateAccount } from '../accounts/create-account.ts'
import { createAudit } from '../audit/audit.ts'
import { migrateUp } from '../db/migrations.ts'
import { createDatabase } from '../db/stores.ts'
import { promptForPassword, readPasswordFromStdin } from './read-password.ts'
import { withDatabase } from './with-database.ts'

interface CreateOptions { email: string, role: 'user' | 'admin', passwordStdin?: boolean }

const commandLine = { requestId: null, ipAddress: null, userAgent: 'auth-serve users create' }

async function createUser ({ email, role, passwordStdin = false }: CreateOptions, command: Command): Promise<void> {
  if (!passwordStdin && !process.stdin.isTTY) command.error('error: no terminal to ask for the password on; pipe it in with --password-stdin')
  const password = passwordStdin ? await readPasswordFromStdin() : await promptForPassword()
  const user = await withDatabase(async (pool, config) => {
    if (config.database.migrate) await migrateUp(pool)
    const database = createDatabase(pool)
    const { createPasswords } = await import('../passwords/passwords.ts')
    const passwords = await createPasswords(config.passwords, {
      onUnasked: reason => { process.stderr.write(`the password was not looked up among the breached ones: ${reason}\n`) }
    })
    const createAccount = createCreateAccount({ database, passwords, audit: createAudit(database, () => {}) })
    return await createAccount({ email, password }, { roles: role === 'admin' ? ['user', 'admin'] : ['user'], emailVerified: true, byOperator: true }, commandLine)
  })
  process.stdout.write(`${user.id}\n`)
}

export const usersCommand = new Command('users')
  .description('manage people')
  .addCommand(new Command('create')
    .description('add a person; prints their id')
    .requiredOption('--email <address>', 'e-mail address')
    .addOption(new Option('--role <role>', 'role beside "user"').choices(['user', 'admin']).default('user'))
    .option('--password-stdin', 'read the password from standard input instead of asking for it')
    .action(createUser))
