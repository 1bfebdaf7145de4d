import { sql } from 'drizzle-orm'
import { createActionTokenStore, type ActionTokenStore } from './action-tokens.ts'
import { createAuditEventStore, type AuditEventStore } from './audit-events.ts'
import { createAuditMonthStore, type AuditMonthStore } from './audit-months.ts'
import { createAuditSealStore, type AuditSealStore } from './audit-seals.ts'
import { toDatabaseError } from './failures.ts'
import { createLoginAttemptStore, type LoginAttemptStore } from './login-attempts.ts'
import { createLockStore, type LockStore } from './locks.ts'
import { createOutboxStore, type OutboxStore } from './outbox.ts'
import type { Pool, Run } from './pool.ts'
import { createRevocationStore, type Revocation, type RevocationStore } from './revocations.ts'
import { createSessionStore, type SessionStore } from './sessions.ts'
import { createSigningKeyStore, type SigningKeyStore } from './signing-keys.ts'
import { createUserExportStore, type UserExportStore } from './user-export.ts'
import { createUserImportStore, type UserImportStore } from './user-import.ts'
import { createUserStore, type UserStore } from './users.ts'
import { createWebhookDeliveryStore, type WebhookDeliveryStore } from './webhook-deliveries.ts'
import { createWebhookStore, type WebhookStore } from './webhooks.ts'

/** One store per aggregate, all on one connection source: the pool, or one transaction. */
export interface Stores {
  users: UserStore
  sessions: SessionStore
  revocations: RevocationStore
  signingKeys: SigningKeyStore
  auditEvents: AuditEventStore
  auditSeals: AuditSealStore
  auditMonths: AuditMonthStore
  loginAttempts: LoginAttemptStore
  actionTokens: ActionTokenStore
  outbox: OutboxStore
  webhooks: WebhookStore
  webhookDeliveries: WebhookDeliveryStore
  locks: LockStore
  userImport: UserImportStore
  userExport: UserExportStore
}

/** The stores over the pool, plus transactions over all of them. */
export interface Database extends Stores {
  /** Runs `work` in one transaction: all or nothing. Inside, only the stores it is given may be used. */
  transaction<T>(work: (stores: Stores) => Promise<T>): Promise<T>
  /** Resolves when the database answers. */
  ping(): Promise<void>
}

/** Runs a call to the database, or refuses it. */
export type Guard = <T>(call: () => Promise<T>) => Promise<T>

/** Told of revocations once they are committed, so that this instance knows them before anybody is answered. */
export type OnRevoked = (revocations: readonly Revocation[]) => void

function createStores (run: Run, onRevoked: OnRevoked): Stores {
  return {
    users: createUserStore(run),
    sessions: createSessionStore(run, onRevoked),
    revocations: createRevocationStore(run),
    signingKeys: createSigningKeyStore(run),
    auditEvents: createAuditEventStore(run),
    auditSeals: createAuditSealStore(run),
    auditMonths: createAuditMonthStore(run),
    loginAttempts: createLoginAttemptStore(run),
    actionTokens: createActionTokenStore(run),
    outbox: createOutboxStore(run),
    webhooks: createWebhookStore(run),
    webhookDeliveries: createWebhookDeliveryStore(run),
    locks: createLockStore(run),
    userImport: createUserImportStore(run),
    userExport: createUserExportStore(run)
  }
}

/**
 * The one choke point of the database: every store call and every transaction, as a whole, passes `guard` (a circuit
 * breaker), takes a connection of the pool and fails with a CodedError. So does the ping: while the breaker is open it
 * says so without asking, and after that it may be the call that finds the database back.
 */
export function createDatabase (pool: Pool, guard: Guard = async call => await call(), onRevoked: OnRevoked = () => {}): Database {
  const guarded = async <T>(call: () => Promise<T>): Promise<T> => {
    try {
      return await guard(call)
    } catch (error) {
      throw toDatabaseError(error)
    }
  }
  return {
    ...createStores(async query => await guarded(async () => await pool.run(query)), onRevoked),
    async transaction (work) {
      const revoked: Revocation[] = []
      const result = await guarded(async () => await pool.transaction(async orm => await work(createStores(async query => await query(orm), more => { revoked.push(...more) }))))
      if (revoked.length > 0) onRevoked(revoked)
      return result
    },
    ping: async () => { await guarded(async () => await pool.run(async orm => await orm.execute(sql`select 1`))) }
  }
}
