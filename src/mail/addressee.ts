import type { LeasedMail } from '../db/outbox.ts'
import type { Stores } from '../db/stores.ts'
import type { UserRow } from '../db/users.ts'
import { oneLine } from './one-line.ts'

/** An order whose address is known. */
export type AddressedMail = LeasedMail & { recipient: string }

/** The person that an order is about; deleted ones are nobody. */
export async function findPerson ({ users }: Pick<Stores, 'users'>, { userId, recipient }: AddressedMail): Promise<UserRow | undefined> {
  return userId === null ? await users.findByEmail(recipient) : await users.findById(userId)
}

/** What the person is called. Who has not proven an address chose the name for what may be somebody else's mailbox. */
export function nameFor (user: UserRow | undefined, recipient: string): string | null {
  if (user === undefined || user.emailVerifiedAt === null || user.emailCanonical !== recipient) return null
  const name = user.firstName ?? user.username
  return name === null ? null : oneLine(name)
}

/** When a mail was ordered: its id is a UUIDv7 (RFC 9562, 5.7), which begins with the milliseconds. */
export const orderedAt = (id: string): Date => new Date(Number.parseInt(id.replace('-', '').slice(0, 12), 16))
