import { Command } from 'commander'
import { toUser } from '../../accounts/to-user.ts'
import { createSetActive } from '../../admin/set-active.ts'
import { print, printJson, type OutputOptions } from '../output.ts'
import type { Surroundings } from '../surroundings.ts'
import { findPerson, withPeople } from './with-people.ts'

function createSetActiveCommand (surroundings: Surroundings, { name, isActive, description }: { name: string, isActive: boolean, description: string }): Command {
  const { stdout } = surroundings

  async function setActive (idOrEmail: string, { json = false }: OutputOptions): Promise<void> {
    const user = await withPeople(surroundings, name, async ({ database, audit, context }) => {
      const { id } = await findPerson(database, idOrEmail)
      return await createSetActive({ audit })(id, isActive, context)
    })
    if (json) printJson(stdout, toUser(user))
    else print(stdout, `${name}d ${user.id}`)
  }

  return new Command(name)
    .description(description)
    .argument('<id-or-email>', 'who')
    .option('--json', 'the user in JSON')
    .action(setActive)
}

/** Both are done at once, also in services that run; each undoes the other. */
export const disableCommand = (surroundings: Surroundings): Command => createSetActiveCommand(surroundings, {
  name: 'disable', isActive: false, description: 'sign a person out everywhere, at once, and let them in no more'
})

export const enableCommand = (surroundings: Surroundings): Command => createSetActiveCommand(surroundings, {
  name: 'enable', isActive: true, description: 'let a person in again who was disabled'
})
