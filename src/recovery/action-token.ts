import { createHash, randomBytes } from 'node:crypto'
import type { ActionPurpose, ActionToken, LinksOfPerson } from '../db/action-tokens.ts'
import type { Stores } from '../db/stores.ts'
import { CodedError } from '../errors.ts'

/** A new token for a mail: 256 random bits in base64url (NIST SP 800-63B-4 and ASVS 11.5.1 ask for 128). */
export const createActionToken = (): string => randomBytes(32).toString('base64url')

/** What of a token is stored. It has 256 bits of entropy, so a plain hash is enough. Any text has one: what is no token is unknown. */
export const hashActionToken = (token: string): Buffer => createHash('sha256').update(token).digest()

/** The one answer for tokens that are unknown, used, superseded, expired or of another purpose. */
export const actionTokenInvalid = (): CodedError =>
  new CodedError('ACTION_TOKEN_INVALID', 'The link is not valid (any more): it was used, has expired, or a newer one was sent. Ask for a new one.')

/** All links but those that take back a change of e-mail. */
const purposes = ['verify-email', 'reset-password', 'change-email', 'invitation'] as const

/**
 * Makes links void that are under way for an account: those that were sent, and those that are still to be. One that takes
 * back a change of e-mail outlives whatever is done with the new mailbox, or whoever has that would keep the account: only
 * one that takes back the same change or an earlier one (`undone`) makes it void.
 */
export async function voidLinks (stores: Pick<Stores, 'actionTokens' | 'outbox'>, userId: string, links: Partial<LinksOfPerson> = {}): Promise<void> {
  await stores.actionTokens.revoke(userId, { purposes, ...links })
  await stores.outbox.withdraw(userId, { purposes, ...links })
}

/**
 * Uses a token up in the transaction of its effect: of many at once one gets it. The account is locked first, as everything
 * does that makes tokens void, so that two of them never wait for one another. Throws CodedError ACTION_TOKEN_INVALID.
 */
export async function useActionToken (stores: Stores, token: string, purpose: ActionPurpose): Promise<ActionToken> {
  const tokenHash = hashActionToken(token)
  const found = await stores.actionTokens.find(tokenHash, purpose)
  if (found === undefined) throw actionTokenInvalid()
  await stores.users.lock(found.userId)
  const used = await stores.actionTokens.consume(tokenHash, purpose)
  if (used === undefined) throw actionTokenInvalid()
  return used
}
