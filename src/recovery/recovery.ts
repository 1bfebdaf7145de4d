import type { Audit } from '../audit/audit.ts'
import type { Database } from '../db/stores.ts'
import type { OrderMail } from '../mail/order-mail.ts'
import type { Passwords } from '../passwords/passwords.ts'
import type { ConfirmPassword } from '../sessions/confirm-password.ts'
import type { LoginLock } from '../sessions/login-lock.ts'
import { createConfirmEmailChange, type ConfirmEmailChange } from './confirm-email-change.ts'
import { createForgotPassword, type ForgotPassword } from './forgot-password.ts'
import { createInvite, type Invite, type InviteAgain } from './invite.ts'
import { createInviteAdmin, type InviteAdmin } from './invite-admin.ts'
import { createRequestEmailChange, type RequestEmailChange } from './request-email-change.ts'
import { createSetPassword, type SetPassword } from './set-password.ts'
import { createUndoEmailChange, type UndoEmailChange } from './undo-email-change.ts'

export interface RecoveryDependencies {
  database: Database
  audit: Audit
  passwords: Passwords
  loginLock: LoginLock
  confirmPassword: ConfirmPassword
  orderMail: OrderMail
  /** Who is invited at start where nobody can administrate. */
  adminEmail: string | undefined
}

/** What is done on the word of a mailbox: a forgotten password, another address, an invitation. */
export interface Recovery {
  forgotPassword: ForgotPassword
  resetPassword: SetPassword
  requestEmailChange: RequestEmailChange
  confirmEmailChange: ConfirmEmailChange
  undoEmailChange: UndoEmailChange
  invite: Invite
  inviteAgain: InviteAgain
  acceptInvitation: SetPassword
  inviteAdmin: InviteAdmin | undefined
}

/** @throws TypeError for an address of the first administrator that is none. */
export function createRecovery (deps: RecoveryDependencies): Recovery {
  const invitations = createInvite(deps)
  return {
    forgotPassword: createForgotPassword(deps),
    resetPassword: createSetPassword('reset-password', deps),
    requestEmailChange: createRequestEmailChange(deps),
    confirmEmailChange: createConfirmEmailChange(deps),
    undoEmailChange: createUndoEmailChange(deps),
    ...invitations,
    acceptInvitation: createSetPassword('invitation', deps),
    inviteAdmin: deps.adminEmail === undefined ? undefined : createInviteAdmin(deps.adminEmail, invitations)
  }
}
