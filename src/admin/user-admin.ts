import { toUser } from '../accounts/to-user.ts'
import type { Audit } from '../audit/audit.ts'
import type { Database } from '../db/stores.ts'
import type { Secrets } from '../keys/secrets.ts'
import type { OrderMail } from '../mail/order-mail.ts'
import type { Recovery } from '../recovery/recovery.ts'
import type { Roles } from '../roles/roles.ts'
import type { User } from '../schemas/user.ts'
import type { ListSessions } from '../sessions/list-sessions.ts'
import type { LoginLock } from '../sessions/login-lock.ts'
import { createCreateUser, type CreateUser } from './create-user.ts'
import { createDeleteUser, type DeleteUser } from './delete-user.ts'
import { createFieldRules } from './field-rules.ts'
import { createListUsers, type ListUsers } from './list-users.ts'
import { createSendPasswordLink, type SendPasswordLink } from './send-password-link.ts'
import { findTarget } from './target.ts'
import { createUnlockUser, type UnlockUser } from './unlock-user.ts'
import { createUpdateUser, type UpdateUser } from './update-user.ts'
import { createUserSessions, type UserSessions } from './user-sessions.ts'

export interface UserAdminDependencies {
  database: Database
  secrets: Secrets
  audit: Audit
  roles: Roles
  loginLock: LoginLock
  orderMail: OrderMail
  recovery: Pick<Recovery, 'invite' | 'inviteAgain'>
  listSessions: ListSessions
}

/** What administrators do with people. */
export interface UserAdmin extends UserSessions {
  list: ListUsers
  create: CreateUser
  /** Throws CodedError USER_NOT_FOUND. */
  read(id: string): Promise<User>
  update: UpdateUser
  delete: DeleteUser
  unlock: UnlockUser
  sendPasswordLink: SendPasswordLink
}

export function createUserAdmin ({ recovery, roles, ...deps }: UserAdminDependencies): UserAdmin {
  const common = { ...deps, ...recovery, rules: createFieldRules(roles) }
  return {
    ...createUserSessions(common),
    list: createListUsers(common),
    create: createCreateUser(common),
    read: async id => toUser(await findTarget(deps.database, id)),
    update: createUpdateUser(common),
    delete: createDeleteUser(common),
    unlock: createUnlockUser(common),
    sendPasswordLink: createSendPasswordLink(common)
  }
}
