import { Command, Option } from 'commander'
import { createCreateAccount } from '../../accounts/create-account.ts'
import { createAudit } from '../../audit/audit.ts'
import { migrateUp } from '../../db/migrations.ts'
import { createDatabase } from '../../db/stores.ts'
import { misuse } from '../exit.ts'
import { print } from '../output.ts'
import { promptForPassword, readPasswordFromStdin } from '../read-password.ts'
import type { Surroundings } from '../surroundings.ts'
import { withDatabase } from '../with-database.ts'

interface CreateOptions { email: string, role: 'user' | 'admin', passwordStdin?: boolean }

const context = { requestId: null, ipAddress: null, userAgent: 'auth-serve users create' }

export function createCommand (surroundings: Surroundings): Command {
  const { stdin, stdout, stderr } = surroundings

  async function create ({ email, role, passwordStdin = false }: CreateOptions): Promise<void> {
    if (!passwordStdin && stdin.isTTY !== true) throw misuse('no terminal to ask for the password on; pipe it in with --password-stdin')
    const password = passwordStdin ? await readPasswordFromStdin(surroundings) : await promptForPassword(surroundings)
    const user = await withDatabase(surroundings, async (pool, config) => {
      if (config.database.migrate) await migrateUp(pool)
      const database = createDatabase(pool)
      const { createPasswords } = await import('../../passwords/passwords.ts')
      const passwords = await createPasswords(config.passwords, {
        onUnasked: reason => { print(stderr, `the password was not looked up among the breached ones: ${reason}`) }
      })
      try {
        const createAccount = createCreateAccount({ database, passwords, audit: createAudit(database, () => {}) })
        return await createAccount({ email, password }, { roles: role === 'admin' ? ['user', 'admin'] : ['user'], emailVerified: true }, context)
      } finally {
        await passwords.close()
      }
    })
    print(stdout, user.id)
  }

  return new Command('create')
    .description('add a person; prints their id')
    .requiredOption('--email <address>', 'e-mail address')
    .addOption(new Option('--role <role>', 'role beside "user"').choices(['user', 'admin']).default('user'))
    .option('--password-stdin', 'read the password from standard input instead of asking for it')
    .action(create)
}
