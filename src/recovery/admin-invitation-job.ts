import type { MaintenanceJob } from '../maintenance/maintenance.ts'
import type { InviteAdmin } from './invite-admin.ts'

export interface Log { debug(details: object, message: string): void, info(details: object, message: string): void, warn(details: object, message: string): void }

/**
 * Invites the first administrator once after a start, as soon as the database lets it. It is asked again until it finds
 * nothing to do, which is how it learns that what it did was committed.
 */
export function createAdminInvitationJob (inviteAdmin: InviteAdmin, log: Log): MaintenanceJob {
  let settled = false
  let invited = false
  return {
    name: 'invite-admin',
    async run (stores, record) {
      if (settled) return false
      const outcome = await inviteAdmin(stores, record)
      if (outcome === 'invited') {
        invited = true
        return true
      }
      settled = true
      log.debug({ outcome }, 'looked whether there is an administrator')
      if (invited) log.info({}, 'there is no administrator yet: an invitation goes to ADMIN_EMAIL')
      if (outcome === 'taken') log.warn({}, 'there is no administrator, and ADMIN_EMAIL belongs to an account that is none; it was not touched: name another address')
      return false
    }
  }
}
