import { Command, Option } from 'commander'
import { createCreateAccount } from '../../accounts/create-account.ts'
import { toUser } from '../../accounts/to-user.ts'
import { loadConfig } from '../../config.ts'
import { readRoles } from '../../config/role-definitions.ts'
import type { UserRow } from '../../db/users.ts'
import { createOrderMail } from '../../mail/order-mail.ts'
import { createInvite } from '../../recovery/invite.ts'
import { createRoles } from '../../roles/roles.ts'
import { misuse } from '../exit.ts'
import { print, printJson, type OutputOptions } from '../output.ts'
import { promptForPassword, readPasswordFromStdin } from '../read-password.ts'
import { secretsOf } from '../secrets.ts'
import type { Surroundings } from '../surroundings.ts'
import { withPeople, type People } from './with-people.ts'

interface CreateOptions extends OutputOptions { email: string, role: string, passwordStdin?: boolean, invite?: boolean }

type Person = Pick<CreateOptions, 'email'> & { roles: string[] }

/** The running service sends the mail: the outbox holds the order. */
async function invite ({ config, audit, context }: People, person: Person): Promise<UserRow> {
  const orderMail = createOrderMail({ secrets: await secretsOf(config), cooldownSeconds: config.mail.cooldownSeconds, onOrdered: () => {} })
  const { invite } = createInvite({ orderMail })
  return await audit.transaction(context, async (stores, record) => await invite(stores, record, person))
}

async function addWithPassword ({ config, database, audit, context }: People, { email, roles }: Person, password: string, onUnasked: (reason: string) => void): Promise<UserRow> {
  const { createPasswords } = await import('../../passwords/passwords.ts')
  const passwords = await createPasswords(config.passwords, { onUnasked })
  try {
    return await createCreateAccount({ database, passwords, audit })({ email, password }, { roles, emailVerified: true }, context)
  } finally {
    await passwords.close()
  }
}

export function createCommand (surroundings: Surroundings): Command {
  const { stdin, stdout, stderr } = surroundings

  function requireRole (role: string): void {
    const { names } = createRoles(readRoles(loadConfig(surroundings.env()).accounts.roles))
    if (!names.includes(role)) throw misuse(`there is no role ${role}; there are ${names.join(', ')}, and ROLES defines others`)
  }

  async function readPassword (passwordStdin: boolean): Promise<string> {
    if (passwordStdin) return await readPasswordFromStdin(surroundings)
    if (stdin.isTTY !== true) throw misuse('no terminal to ask for the password on; pipe it in with --password-stdin, or mail an invitation with --invite')
    return await promptForPassword(surroundings)
  }

  async function create ({ email, role, passwordStdin = false, invite: invited = false, json = false }: CreateOptions): Promise<void> {
    requireRole(role)
    const person = { email, roles: role === 'user' ? ['user'] : ['user', role] }
    const password = invited ? undefined : await readPassword(passwordStdin)
    const user = await withPeople(surroundings, 'create', async people => password === undefined
      ? await invite(people, person)
      : await addWithPassword(people, person, password, reason => { print(stderr, `the password was not looked up among the breached ones: ${reason}`) }))
    if (json) printJson(stdout, toUser(user))
    else print(stdout, user.id)
  }

  return new Command('create')
    .description('add a person; prints their id')
    .requiredOption('--email <address>', 'e-mail address')
    .option('--role <role>', 'role beside "user": admin, or one that ROLES defines', 'user')
    .option('--password-stdin', 'read the password from standard input instead of asking for it')
    .addOption(new Option('--invite', 'ask for no password: the running service mails a link by which the person chooses one').conflicts('passwordStdin'))
    .option('--json', 'the user in JSON')
    .action(create)
}
