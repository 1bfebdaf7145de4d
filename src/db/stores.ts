import { sql } from 'drizzle-orm'
import { createAuditEventStore, type AuditEventStore } from './audit-events.ts'
import type { Orm } from './client.ts'
import { createLoginAttemptStore, type LoginAttemptStore } from './login-attempts.ts'
import { createSessionStore, type SessionStore } from './sessions.ts'
import { createSigningKeyStore, type SigningKeyStore } from './signing-keys.ts'
import { createUserStore, type UserStore } from './users.ts'

/** One store per aggregate, all on one connection source: the pool, or one transaction. */
export interface Stores {
  users: UserStore
  sessions: SessionStore
  signingKeys: SigningKeyStore
  auditEvents: AuditEventStore
  loginAttempts: LoginAttemptStore
}

/** The stores over the pool, plus transactions over all of them. */
export interface Database extends Stores {
  /** Runs `work` in one transaction: all or nothing. Inside, only the stores it is given may be used. */
  transaction<T>(work: (stores: Stores) => Promise<T>): Promise<T>
  /** Resolves when the database answers. */
  ping(): Promise<void>
}

export function createStores (orm: Orm): Stores {
  return {
    users: createUserStore(orm),
    sessions: createSessionStore(orm),
    signingKeys: createSigningKeyStore(orm),
    auditEvents: createAuditEventStore(orm),
    loginAttempts: createLoginAttemptStore(orm)
  }
}

export function createDatabase (orm: Orm): Database {
  return {
    ...createStores(orm),
    transaction: async work => await orm.transaction(async tx => await work(createStores(tx))),
    ping: async () => { await orm.execute(sql`select 1`) }
  }
}
