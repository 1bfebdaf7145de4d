import { v7 as uuidv7 } from 'uuid'
import { canonicalEmail } from '../accounts/email.ts'
import { canonicalUsername } from '../accounts/username.ts'
import type { RecordEvent } from '../audit/audit.ts'
import type { Stores } from '../db/stores.ts'
import type { UserRow } from '../db/users.ts'
import { invalidInput, userAlreadyExists } from '../errors.ts'
import type { OrderMail } from '../mail/order-mail.ts'

/** Who is invited, and what they may do. */
export interface Invitation { email: string, roles: string[], username?: string, firstName?: string, lastName?: string }

/**
 * Adds a person who chooses the password by an e-mailed link, in the transaction of whoever invites them (`actorId`; the
 * service itself is nobody). Until then they cannot sign in, and their address is not proven. Throws CodedError
 * INVALID_INPUT for a wrong address and USER_ALREADY_EXISTS where e-mail or username is taken.
 */
export type Invite = (stores: Stores, record: RecordEvent, invitation: Invitation, actorId?: string) => Promise<UserRow>

/** Sends an invitation anew; the one from before is void. */
export type InviteAgain = (stores: Stores, user: Pick<UserRow, 'id' | 'emailCanonical'>) => Promise<void>

export function createInvite ({ orderMail }: { orderMail: OrderMail }): { invite: Invite, inviteAgain: InviteAgain } {
  // Only who may invite causes it, so it waits for no cooldown.
  const inviteAgain: InviteAgain = async (stores, { id, emailCanonical }) => {
    await orderMail(stores, { template: 'invitation', userId: id, recipient: emailCanonical, vital: true })
  }
  return {
    inviteAgain,
    async invite (stores, record, { email, username, firstName = null, lastName = null, roles }, actorId) {
      const emailCanonical = canonicalEmail(email)
      const usernameCanonical = username === undefined ? null : canonicalUsername(username)
      if (emailCanonical === undefined) throw invalidInput([{ path: '/body/email', code: 'format', message: 'Give an e-mail address such as ada@example.com.' }])
      const id = uuidv7()
      const user = await stores.users.insert({
        id, email, emailCanonical, username: username ?? null, usernameCanonical, firstName, lastName, roles, passwordHash: null, emailVerifiedAt: null
      })
      if (user === undefined) throw userAlreadyExists(await stores.users.findTakenNames(emailCanonical, usernameCanonical))
      await inviteAgain(stores, user)
      record({ type: 'user_created', outcome: 'success', actorId, targetId: id, details: { reason: 'invitation', roles } })
      return user
    }
  }
}
