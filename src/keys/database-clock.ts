/**
 * The database's clock, kept by a monotonic one: tokens and revocations are judged by the same time on every instance,
 * and a jump of this machine's clock changes nothing.
 */
export interface DatabaseClock {
  /** Milliseconds since the epoch; this machine's own time before the first {@link DatabaseClock.sync}. */
  now(): number
  /** The database said that it was this time just now. */
  sync(time: Date): void
}

export function createDatabaseClock (): DatabaseClock {
  let offset: number | undefined
  return {
    now: () => offset === undefined ? Date.now() : performance.now() + offset,
    sync (time) { offset = time.getTime() - performance.now() }
  }
}
