import { v7 as uuidv7 } from 'uuid'
import type { RequestContext } from '../audit/audit.ts'
import type { MailTemplate } from '../db/outbox.ts'
import type { Stores } from '../db/stores.ts'
import { mac, type Secrets } from '../keys/secrets.ts'

/** What a security notice tells. */
export type Notice =
  | 'password-changed' | 'password-reset' | 'email-change-requested' | 'email-changed' | 'account-locked'
  | 'new-device' | 'token-reuse' | 'roles-changed' | 'account-deleted'

/** A mail that is owed to somebody: whether they exist is found out when it is sent. */
export interface MailOrder {
  template: MailTemplate
  /** Whose account it is about, where that is known. */
  userId?: string
  /** Address in canonical form; null for a name that nobody has, which costs as much and sends nothing. */
  recipient: string | null
  /** What the template says beside the link; with `security-notice`, which one it is. Never a secret. */
  values?: Record<string, string> & { notice?: Notice }
}

/** What a notice tells of where a request came from. */
export const whence = ({ ipAddress, userAgent }: RequestContext): Record<string, string> =>
  ({ ...ipAddress !== null && { ipAddress }, ...userAgent !== null && { userAgent } })

/**
 * Orders a mail in the transaction that needs it. Silent: a mail of the same kind to the same address within the cooldown
 * is not ordered again. One statement, whoever it is for.
 */
export type OrderMail = (stores: Pick<Stores, 'outbox'>, order: MailOrder) => Promise<void>

export interface OrderMailDependencies {
  secrets: Secrets
  /** Seconds in which one address gets no second mail of a kind. */
  cooldownSeconds: number
  /** Told that there may soon be something to send. */
  onOrdered: () => void
}

export function createOrderMail ({ secrets, cooldownSeconds, onOrdered }: OrderMailDependencies): OrderMail {
  return async (stores, { template, userId, recipient, values = {} }) => {
    const kind = values.notice === undefined ? template : `${template}:${values.notice}`
    // Somebody who has no address is told apart by nothing, so all of them share one cooldown.
    const cooldownKey = mac(secrets, 'mail-cooldown', `${kind}:${recipient ?? ''}`)
    await stores.outbox.add({ id: uuidv7(), template, userId: userId ?? null, recipient, values, cooldownKey, cooldownSeconds })
    onOrdered()
  }
}
