import type { Database } from './stores.ts'

/** Runs one call into the database: takes a slot, waits no longer than allowed, maps what is thrown. */
export type Run = <T>(call: () => Promise<T>) => Promise<T>

function guardObject<T extends object> (store: T, run: Run): T {
  return new Proxy(store, {
    get (target, key) {
      const member: unknown = Reflect.get(target, key)
      return typeof member === 'function'
        ? async (...args: unknown[]) => await run(async () => await Reflect.apply(member, target, args))
        : member
    }
  })
}

/**
 * The one choke point of the database: every store call and every transaction, as a whole, goes through `run`.
 * The stores that a transaction hands out are not wrapped again, since the transaction already holds its slot.
 */
export function guard (database: Database, run: Run): Database {
  return guardObject({
    ...database,
    users: guardObject(database.users, run),
    sessions: guardObject(database.sessions, run),
    signingKeys: guardObject(database.signingKeys, run),
    auditEvents: guardObject(database.auditEvents, run),
    loginAttempts: guardObject(database.loginAttempts, run)
  }, run)
}
