import { canonicalEmail } from '../accounts/email.ts'
import type { RecordEvent } from '../audit/audit.ts'
import type { Stores } from '../db/stores.ts'
import type { Invite, InviteAgain } from './invite.ts'

export interface InviteAdminDependencies { invite: Invite, inviteAgain: InviteAgain }

/**
 * Invites the first administrator where nobody can administrate. Under the lock of all changes to who is one, so that of
 * several instances that start together one does it. `invited`: an invitation was ordered; `waiting`: one is on its way or
 * still good; `taken`: the address has an account that was not made by an invitation, which is not touched; `present`:
 * there is an administrator.
 */
export type InviteAdmin = (stores: Stores, record: RecordEvent) => Promise<'invited' | 'waiting' | 'taken' | 'present'>

const roles = ['user', 'admin']

/** @throws TypeError for what is no e-mail address. */
export function createInviteAdmin (email: string, { invite, inviteAgain }: InviteAdminDependencies): InviteAdmin {
  const emailCanonical = canonicalEmail(email)
  if (emailCanonical === undefined) throw new TypeError('auth-serve: the e-mail address of the first administrator (ADMIN_EMAIL) is none')

  return async (stores, record) => {
    await stores.users.lockAdmins()
    if (await stores.users.hasActiveAdmin()) return 'present'
    const user = await stores.users.findByEmail(emailCanonical)
    if (user === undefined) {
      await invite(stores, record, { email, roles })
      return 'invited'
    }
    if (user.passwordHash !== null || !user.isActive || !user.roles.includes('admin')) return 'taken'
    const unsent = await stores.outbox.unsent(user.id, 'invitation')
    if (unsent === 'pending' || (unsent === undefined && await stores.actionTokens.hasGood(user.id, 'invitation'))) return 'waiting'
    await stores.outbox.withdraw(user.id, { purposes: ['invitation'] })
    await inviteAgain(stores, user)
    return 'invited'
  }
}
