import { CodedError, invalidInput, type FieldError } from '../errors.ts'
import type { Roles } from '../roles/roles.ts'

/**
 * Who may set what of whom. Nobody rules over people who may do more than they themselves, and nobody gives or takes a
 * role that allows what theirs do not; an admin may everything. Whether they may administrate people at all is the
 * permission of the route.
 */
export interface FieldRules {
  /** Whether this person may be changed, disabled, deleted, signed out, unlocked or reset. Throws CodedError FORBIDDEN. */
  requireRule(actor: Bearer, target: Bearer): void
  /** Whether these roles may become those. Throws CodedError FORBIDDEN. */
  requireGrant(actor: Bearer, before: readonly string[], after: readonly string[]): void
  /** The roles as they are stored: `user` first, the others in the order of their definition. Throws CodedError INVALID_INPUT for one that is unknown. */
  toRoles(names: readonly string[]): string[]
  /** Throws CodedError INVALID_INPUT at `/query/role` for a role that is unknown. */
  requireKnown(role: string): void
}

export interface Bearer { roles: readonly string[] }

export function createFieldRules (roles: Roles): FieldRules {
  const isKnown = (name: string): boolean => roles.names.includes(name)
  const unknown = (path: string): FieldError => ({ path, code: 'unknown_role', message: `There is no such role; there are: ${roles.names.join(', ')}.` })
  return {
    requireRule (actor, target) {
      if (!roles.cover(actor.roles, target.roles)) throw new CodedError('FORBIDDEN', 'This user has roles that allow more than yours do.')
    },
    requireGrant (actor, before, after) {
      const changed = [...before.filter(role => !after.includes(role)), ...after.filter(role => !before.includes(role))]
      const beyond = changed.find(role => !roles.cover(actor.roles, [role]))
      if (beyond !== undefined) throw new CodedError('FORBIDDEN', `The role ${beyond} allows more than yours do; you can neither give nor take it.`)
    },
    toRoles (names) {
      const errors = names.flatMap((name, index) => isKnown(name) ? [] : [unknown(`/body/roles/${index}`)])
      if (errors.length > 0) throw invalidInput(errors)
      return roles.names.filter(name => name === 'user' || names.includes(name))
    },
    requireKnown (role) {
      if (!isKnown(role)) throw invalidInput([unknown('/query/role')])
    }
  }
}
