import { CodedError } from '../errors.ts'
import type { Principal } from './authenticate.ts'

export interface AuthorizeOptions {
  freshSessionSeconds: number
  /** Milliseconds since the epoch, by the clock that `auth_time` is of. */
  now: () => number
}

/**
 * Holds a principal to what a route asks for: `session` is satisfied by being signed in, `fresh` by a proof of identity
 * within `freshSessionSeconds`, anything else is a permission, of which the role `admin` has every one. Throws CodedError
 * REAUTHENTICATION_REQUIRED or FORBIDDEN.
 */
export function authorize (access: string, principal: Principal, { freshSessionSeconds, now }: AuthorizeOptions): void {
  if (access === 'session') return
  if (access === 'fresh') {
    if (now() / 1000 - principal.authTime <= freshSessionSeconds) return
    throw new CodedError('REAUTHENTICATION_REQUIRED', 'Prove who you are again with POST /auth/reauthenticate, then retry.')
  }
  if (!principal.roles.includes('admin')) throw new CodedError('FORBIDDEN', 'Your roles do not allow this.')
}
