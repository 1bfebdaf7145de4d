import { Command } from 'commander'
import { createFieldRules } from '../../admin/field-rules.ts'
import { createUnlockUser } from '../../admin/unlock-user.ts'
import { createRoles } from '../../roles/roles.ts'
import { createLoginLock } from '../../sessions/login-lock.ts'
import { print, printJson, type OutputOptions } from '../output.ts'
import { secretsOf } from '../secrets.ts'
import type { Surroundings } from '../surroundings.ts'
import { findPerson, withPeople } from './with-people.ts'

export function unlockCommand (surroundings: Surroundings): Command {
  const { stdout } = surroundings

  async function unlock (idOrEmail: string, { json = false }: OutputOptions): Promise<void> {
    const id = await withPeople(surroundings, 'unlock', async ({ config, database, audit, context }) => {
      const { id } = await findPerson(database, idOrEmail)
      const loginLock = createLoginLock(database, await secretsOf(config), config.login)
      await createUnlockUser({ audit, loginLock, rules: createFieldRules(createRoles()) })(undefined, id, context)
      return id
    })
    if (json) printJson(stdout, { id })
    else print(stdout, `unlocked ${id}`)
  }

  return new Command('unlock')
    .description('open the login of a person who is locked after failures')
    .argument('<id-or-email>', 'who')
    .option('--json', 'the id in JSON')
    .action(unlock)
}
