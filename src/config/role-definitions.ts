import { permissions, rolePattern } from '../roles/permissions.ts'
import { builtInRoles } from '../roles/roles.ts'

const definition = /^([^=\s]+)=([^=\s]+)$/
const parse = (entry: string): [name: string, permissions: string[]] => {
  const [, name = '', granted = ''] = definition.exec(entry) ?? []
  return [name, granted.split('|')]
}

/** What the entries of ROLES, which {@link problemsOfRoles} found nothing wrong with, define. */
export const readRoles = (entries: readonly string[] = []): Record<string, string[]> => Object.fromEntries(entries.map(parse))

/** Every problem of an entry of ROLES, in a sentence. */
export function problemsOfRoles (entries: readonly string[] = []): string[] {
  const known: readonly string[] = permissions
  const names = entries.map(entry => parse(entry)[0])
  return entries.flatMap((entry, index) => {
    const [name, granted] = parse(entry)
    if (!new RegExp(rolePattern).test(name)) return [`ROLES must be a list such as support=users:read|users:write, with names of lower-case letters, digits, - and _; ${JSON.stringify(entry)} is no role`]
    return [
      ...builtInRoles.includes(name) ? [`ROLES must not define ${name}, which is built in`] : [],
      ...names.indexOf(name) < index ? [`ROLES defines ${name} twice: write each role once`] : [],
      ...granted.filter(permission => !known.includes(permission)).map(permission => `ROLES gives ${name} the permission ${JSON.stringify(permission)}, which is none of ${permissions.join(', ')}`)
    ]
  })
}
