import { canonicalEmail } from '../accounts/email.ts'
import type { Database } from '../db/stores.ts'
import type { OrderMail } from '../mail/order-mail.ts'

/**
 * Orders a link that sets a new password: one order, whether or not somebody has the address. Who that is is found out
 * when the mail is sent.
 */
export type ForgotPassword = (email: string) => Promise<void>

export function createForgotPassword ({ database, orderMail }: { database: Database, orderMail: OrderMail }): ForgotPassword {
  return async email => { await orderMail(database, { template: 'reset-password', recipient: canonicalEmail(email) ?? null }) }
}
