import type { AuditEvent, EventType } from '../audit/audit.ts'
import type { Hooks, UserHook } from './options.ts'

const names = {
  user_created: 'UserCreated',
  user_updated: 'UserUpdated',
  user_deleted: 'UserDeleted',
  authn_login_success: 'Login',
  authn_password_change: 'PasswordChanged',
  authz_change: 'RolesChanged'
} as const satisfies Partial<Record<EventType, string>>

const isNamed = (type: EventType): type is keyof typeof names => Object.hasOwn(names, type)

/** The hooks for one event, other than the one for all. */
export interface NamedHooks { name: string, before?: UserHook | undefined, on?: UserHook | undefined }

/** Only what came to pass has hooks of its own; a proof of identity within a session is no login. */
export function hooksOf (hooks: Hooks, { type, outcome, details }: AuditEvent): NamedHooks {
  if (!isNamed(type) || outcome !== 'success' || details?.reason === 'reauthentication') return { name: '' }
  const name = names[type]
  return { name, before: hooks[`before${name}`], on: hooks[`on${name}`] }
}
