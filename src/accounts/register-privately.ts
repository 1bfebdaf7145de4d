import type { Audit, AuditEvent, RequestContext } from '../audit/audit.ts'
import type { Stores } from '../db/stores.ts'
import type { UserRow } from '../db/users.ts'
import { CodedError } from '../errors.ts'
import type { MailOrder, OrderMail } from '../mail/order-mail.ts'
import type { Passwords } from '../passwords/passwords.ts'
import { claimToData, isClaimable, unmatchable } from './claim.ts'
import { judgeNewAccount, rowOfNewAccount, type CanonicalNames, type NewAccount } from './new-account.ts'

export interface RegisterPrivatelyDependencies { audit: Audit, passwords: Passwords, orderMail: OrderMail }

/**
 * Registers a person and tells the outcome by mail alone: the same hash, statements, mails and events whether the names
 * are free or taken. A registration for an address that nobody has proven is a claim: its mail carries what it set up,
 * and whoever confirms puts exactly that into force. Throws CodedError INVALID_INPUT for a weak password or a wrong
 * address, OVERLOADED, and SERVICE_UNAVAILABLE where the names changed hands at this very moment.
 */
export type RegisterPrivately = (account: NewAccount, context: RequestContext) => Promise<void>

/** What became of a registration: the mail that tells it and the event that records it. */
interface Outcome { order: Omit<MailOrder, 'recipient'>, event: AuditEvent }

const refused = (reason: string, targetId?: string): AuditEvent =>
  ({ type: 'user_created', outcome: 'failure', targetId, details: { reason } })

export function createRegisterPrivately ({ audit, passwords, orderMail }: RegisterPrivatelyDependencies): RegisterPrivately {
  /** Every statement runs for everybody, also where its answer is known. */
  async function settle (stores: Stores, account: NewAccount, names: CanonicalNames, passwordHash: string): Promise<Outcome> {
    const { users } = stores
    const created = await users.insert(rowOfNewAccount(account, names, { passwordHash, roles: ['user'], emailVerifiedAt: null }))
    const holder = await users.findByEmail(names.emailCanonical)
    const namesake = await users.findByUsername(names.usernameCanonical ?? '')
    const claimable = created === undefined && holder !== undefined && isClaimable(holder) ? holder : undefined
    const nameIsFree = namesake === undefined || namesake.id === holder?.id
    const claimed = await users.contest(nameIsFree ? claimable?.id : undefined, unmatchable)
    const values = claimToData(account, passwordHash)
    if (created !== undefined) {
      const event: AuditEvent = { type: 'user_created', outcome: 'success', actorId: created.id, targetId: created.id }
      return { event, order: { template: 'verify-email', userId: created.id, values } }
    }
    if (claimed !== undefined) return { event: refused('email_not_verified', claimed), order: { template: 'verify-email', userId: claimed, values } }
    return tellTaken(account, holder, claimable === undefined)
  }

  function tellTaken ({ username = '' }: NewAccount, holder: UserRow | undefined, emailIsTaken: boolean): Outcome {
    if (holder !== undefined && emailIsTaken) return { event: refused('email_taken', holder.id), order: { template: 'already-registered', userId: holder.id, values: { taken: 'email' } } }
    if (username !== '') return { event: refused('username_taken'), order: { template: 'already-registered', values: { taken: 'username', username } } }
    // Whoever had the address was deleted between two statements.
    throw new CodedError('SERVICE_UNAVAILABLE', 'The registration met another change; try again.', { retryAfterSeconds: 1 })
  }

  return async (account, context) => {
    const names = await judgeNewAccount(passwords, account)
    const passwordHash = await passwords.hash(account.password)
    await audit.transaction(context, async (stores, record) => {
      const { order, event } = await settle(stores, account, names, passwordHash)
      await orderMail(stores, { ...order, recipient: names.emailCanonical })
      record(event)
    })
  }
}
