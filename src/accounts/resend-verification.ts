import type { Database } from '../db/stores.ts'
import type { OrderMail } from '../mail/order-mail.ts'
import { canonicalEmail } from './email.ts'

/** Orders a new link that confirms an address: one order, whether or not an account waits for it. */
export type ResendVerification = (email: string) => Promise<void>

export function createResendVerification ({ database, orderMail }: { database: Database, orderMail: OrderMail }): ResendVerification {
  return async email => { await orderMail(database, { template: 'verify-email', recipient: canonicalEmail(email) ?? null }) }
}
