import { v7 as uuidv7 } from 'uuid'
import type { RequestContext } from '../audit/audit.ts'
import type { MailTemplate } from '../db/outbox.ts'
import type { Stores } from '../db/stores.ts'
import { mac, type Secrets } from '../keys/secrets.ts'

const notices = [
  'password-changed', 'password-reset', 'email-change-requested', 'email-changed', 'email-change-undone', 'account-locked',
  'new-device', 'token-reuse', 'roles-changed', 'account-deleted'
] as const

/** What a security notice tells. */
export type Notice = typeof notices[number]

export const isNotice = (value: string | undefined): value is Notice => notices.some(notice => notice === value)

/** A mail that is owed to somebody: whether they exist is found out when it is sent. */
export interface MailOrder {
  template: MailTemplate
  /** Whose account it is about, where that is known. */
  userId?: string
  /** Address in canonical form; null for a name that nobody has, which costs as much and sends nothing. */
  recipient: string | null
  /**
   * With a template that brings a token, what is kept with the token until it is used. With `already-registered`, what is
   * `taken`: "email", "username" or "new-email". With `security-notice`, which `notice` it is, and what it tells: `ipAddress` and
   * `userAgent` (see {@link whence}), `newEmail`, `roles`.
   */
  values?: Record<string, string> & { notice?: Notice }
  /** It goes out whatever went out a moment ago: somebody's way back depends on it, and nobody can cause it at will. */
  vital?: boolean
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
  return async (stores, { template, userId, recipient, values = {}, vital = false }) => {
    const id = uuidv7()
    const kind = values.notice === undefined ? template : `${template}:${values.notice}`
    // Somebody who has no address is told apart by nothing, so all of them share one cooldown.
    const cooldownKey = mac(secrets, 'mail-cooldown', `${kind}:${vital ? id : recipient ?? ''}`)
    await stores.outbox.add({ id, template, userId: userId ?? null, recipient, values, cooldownKey, cooldownSeconds })
    onOrdered()
  }
}
