import { CodedError } from '../errors.ts'
import type { Roles } from '../roles/roles.ts'
import type { Principal } from './authenticate.ts'

export interface AuthorizeOptions {
  freshSessionSeconds: number
  roles: Pick<Roles, 'allow'>
  /** Milliseconds since the epoch, by the clock that `auth_time` is of. */
  now: () => number
}

/**
 * Holds a principal to what a route asks for: `session` is satisfied by being signed in, `fresh` by a proof of identity
 * within `freshSessionSeconds`, anything else is a permission that one of the roles must have. Throws CodedError
 * REAUTHENTICATION_REQUIRED or FORBIDDEN.
 */
export function authorize (access: string, principal: Principal, { freshSessionSeconds, roles, now }: AuthorizeOptions): void {
  if (access === 'session') return
  if (access === 'fresh') {
    if (now() / 1000 - principal.authTime <= freshSessionSeconds) return
    throw new CodedError('REAUTHENTICATION_REQUIRED', 'Prove who you are again with POST /auth/reauthenticate, then retry.')
  }
  if (!roles.allow(principal.roles, access)) throw new CodedError('FORBIDDEN', 'Your roles do not allow this.')
}
