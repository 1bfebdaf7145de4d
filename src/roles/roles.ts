/** Roles beside `user` and `admin`, and what each may do. */
export type RoleDefinitions = Readonly<Record<string, readonly string[]>>

/** Who may do what. `user` may do nothing beyond what everybody may, `admin` everything, any other role what it is defined with. */
export interface Roles {
  /** Every role that somebody may be given, `user` and `admin` first. */
  readonly names: readonly string[]
  /** Whether one of these roles has the permission. A role that is defined no more has none. */
  allow(roles: readonly string[], permission: string): boolean
  /** Whether everything that `lesser` may do, `greater` may do too: nobody rules over those who may do more than they themselves. */
  cover(greater: readonly string[], lesser: readonly string[]): boolean
}

/** The roles that need no definition. */
export const builtInRoles = ['user', 'admin']

/** @throws TypeError for a definition of `user` or `admin`. */
export function createRoles (definitions: RoleDefinitions = {}): Roles {
  const names = Object.keys(definitions)
  const redefined = names.find(name => builtInRoles.includes(name))
  if (redefined !== undefined) throw new TypeError(`auth-serve: the role ${redefined} is built in and cannot be defined`)
  const byName = new Map(Object.entries(definitions))
  const allow = (roles: readonly string[], permission: string): boolean =>
    roles.includes('admin') || roles.some(role => byName.get(role)?.includes(permission) === true)
  return {
    names: [...builtInRoles, ...names],
    allow,
    cover: (greater, lesser) => greater.includes('admin') ||
      (!lesser.includes('admin') && lesser.flatMap(role => byName.get(role) ?? []).every(permission => allow(greater, permission)))
  }
}
