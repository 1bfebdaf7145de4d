import type { ActionPurpose } from '../db/action-tokens.ts'
import type { LeasedMail } from '../db/outbox.ts'
import type { Database, Stores } from '../db/stores.ts'
import type { UserRow } from '../db/users.ts'
import { seal, unseal, UnsealError } from '../keys/sealing.ts'
import type { Secrets } from '../keys/secrets.ts'
import { createActionToken, hashActionToken } from '../recovery/action-token.ts'
import { findPerson, nameFor, type AddressedMail } from './addressee.ts'
import type { MailContent } from './mail-values.ts'
import { resolveTelling } from './resolve-telling.ts'

export interface ResolveOrderDependencies {
  database: Database
  secrets: Secrets
  /** Lives of the links in seconds. */
  ttls: Record<ActionPurpose, number>
  /** Where the links lead: `<linkBase>/<template>#token=<token>`. */
  linkBase: string
  /** Whom the mails are from. */
  service: string
}

/** A mail that can be sent, and what of it must not be told to anybody else. */
export type ResolvedMail = MailContent & { recipient: string, token?: string }

/** Finds out what is to be sent; undefined where nothing is owed (any more), or the lease is over. */
export type ResolveOrder = (order: LeasedMail) => Promise<ResolvedMail | undefined>

/** Whether somebody who can use their account is still owed such a mail at this address. */
const isOwed: Record<ActionPurpose, (user: UserRow, recipient: string) => boolean> = {
  'verify-email': (user, recipient) => user.emailVerifiedAt === null && user.emailCanonical === recipient,
  'reset-password': (user, recipient) => user.emailCanonical === recipient,
  'change-email': (user, recipient) => user.emailCanonical !== recipient,
  'undo-email-change': (user, recipient) => user.emailCanonical !== recipient,
  invitation: (user, recipient) => user.passwordHash === null && user.emailCanonical === recipient
}

/**
 * Whether a link neither makes others of its kind void nor becomes void with a newer one. Who took an account over and
 * changed the address twice must not void the way back from the first change, and whoever registers last not the
 * registrations before: docs/decisions/010-proof-of-address.md.
 */
const standsAlone = (purpose: ActionPurpose, { values }: Pick<LeasedMail, 'values'>): boolean =>
  purpose === 'undo-email-change' || values.passwordHash !== undefined

/**
 * Makes an order a mail when it is sent. A link gets its token at the first try, in one short transaction with the lock of
 * the account: stored hashed, and sealed with the order, so that later tries send the same one. Its life begins with the
 * try that sends it. One that was used or superseded meanwhile is owed no more, and neither is what was ordered again.
 */
export function createResolveOrder ({ database, secrets, ttls, linkBase, service }: ResolveOrderDependencies): ResolveOrder {
  /** The token of an earlier try. One that was sealed under a secret that is gone is replaced. */
  function sealedToken ({ id, sealed }: LeasedMail): string | undefined {
    if (sealed === null) return undefined
    try {
      return unseal(secrets, 'mail', id, sealed)
    } catch (error) {
      if (error instanceof UnsealError) return undefined
      throw error
    }
  }

  async function issueToken (stores: Stores, purpose: ActionPurpose, order: AddressedMail, userId: string): Promise<string | undefined> {
    const token = createActionToken()
    if (!await stores.outbox.keep(order, seal(secrets, 'mail', order.id, token))) return undefined
    await stores.actionTokens.issue(
      { tokenHash: hashActionToken(token), purpose, userId, email: order.recipient, data: order.values, ttlSeconds: ttls[purpose] },
      { supersedes: !standsAlone(purpose, order) }
    )
    return token
  }

  async function resolveLink (purpose: ActionPurpose, order: AddressedMail): Promise<ResolvedMail | undefined> {
    return await database.transaction(async stores => {
      const found = await findPerson(stores, order)
      if (found === undefined) return undefined
      await stores.users.lock(found.id)
      const user = await stores.users.findById(found.id)
      if (user === undefined || !user.isActive || !isOwed[purpose](user, order.recipient)) return undefined
      if (!standsAlone(purpose, order) && await stores.outbox.hasNewer(order)) return undefined
      const known = sealedToken(order)
      if (known !== undefined && !await stores.actionTokens.renew(hashActionToken(known), purpose, ttls[purpose])) return undefined
      const token = known ?? await issueToken(stores, purpose, order, user.id)
      if (token === undefined) return undefined
      const values = { service, address: order.recipient, name: nameFor(user, order.recipient), link: `${linkBase}/${purpose}#token=${token}`, lifeSeconds: ttls[purpose] }
      return { template: purpose, values, recipient: order.recipient, token }
    })
  }

  return async order => {
    const { template, recipient } = order
    if (recipient === null) return undefined
    const addressed = { ...order, recipient }
    if (template === 'already-registered' || template === 'security-notice') return await resolveTelling(database, service, { ...addressed, template })
    return await resolveLink(template, addressed)
  }
}
