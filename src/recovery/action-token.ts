import { createHash, randomBytes } from 'node:crypto'
import type { ActionPurpose, ActionToken } from '../db/action-tokens.ts'
import type { Stores } from '../db/stores.ts'
import { CodedError } from '../errors.ts'

/** A new token for a mail: 256 random bits in base64url (NIST SP 800-63B-4 and ASVS 11.5.1 ask for 128). */
export const createActionToken = (): string => randomBytes(32).toString('base64url')

/** What of a token is stored. It has 256 bits of entropy, so a plain hash is enough. Any text has one: what is no token is unknown. */
export const hashActionToken = (token: string): Buffer => createHash('sha256').update(token).digest()

/** The one answer for tokens that are unknown, used, superseded, expired or of another purpose. */
export const actionTokenInvalid = (): CodedError =>
  new CodedError('ACTION_TOKEN_INVALID', 'The link is not valid (any more): it was used, has expired, or a newer one was sent. Ask for a new one.')

/** Makes every link void that is under way for an account, but those of this kind: what was sent, and what is still to be. */
export async function voidLinks (stores: Stores, userId: string, except?: ActionPurpose): Promise<void> {
  await stores.actionTokens.revokeAll(userId, except)
  await stores.outbox.discardLinks(userId, except)
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
