import type { Database } from '../db/stores.ts'
import { describeDevice } from '../sessions/device.ts'
import { findPerson, nameFor, orderedAt, type AddressedMail } from './addressee.ts'
import type { AlreadyRegisteredValues, CommonValues, MailContent, NoticeValues } from './mail-values.ts'
import { oneLine } from './one-line.ts'
import { isNotice } from './order-mail.ts'

const lineOf = (text: string | undefined): string | null => text === undefined ? null : oneLine(text)

function noticeOf ({ id, values }: AddressedMail, common: CommonValues): NoticeValues | undefined {
  const { notice, userAgent, ipAddress, newEmail, roles } = values
  if (!isNotice(notice)) return undefined
  return {
    ...common,
    notice,
    at: orderedAt(id),
    device: describeDevice(userAgent ?? null),
    ipAddress: lineOf(ipAddress),
    newEmail: lineOf(newEmail),
    roles: lineOf(roles)
  }
}

const takenOf = ({ values: { taken } }: AddressedMail, common: CommonValues): AlreadyRegisteredValues =>
  ({ ...common, taken: taken === 'username' || taken === 'new-email' ? taken : 'email' })

/**
 * A mail that only tells something. With an account it goes to that address whatever became of the account (it may be the
 * deletion that it tells of); without one only if somebody has the address, unless it says that they have none.
 */
export async function resolveTelling (
  database: Database,
  service: string,
  order: AddressedMail & { template: 'already-registered' | 'security-notice' }
): Promise<(MailContent & { recipient: string }) | undefined> {
  const { template, userId, recipient } = order
  const user = await findPerson(database, order)
  const common = { service, address: recipient, name: nameFor(user, recipient) }
  if (template === 'already-registered') {
    const values = takenOf(order, common)
    return user === undefined && values.taken !== 'username' ? undefined : { template, values, recipient }
  }
  const values = noticeOf(order, common)
  return values === undefined || (user === undefined && userId === null) ? undefined : { template, values, recipient }
}
