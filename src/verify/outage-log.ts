/** The part of a logger that is needed here. */
export interface Log { debug(details: object, message: string): void, info(details: object, message: string): void, warn(details: object, message: string): void }

/** Tells an outage once, however many tries it takes, and its end. */
export interface OutageLog {
  failed(error: unknown): void
  succeeded(): void
}

/** Milliseconds before the second try of what has never succeeded; it doubles from there. */
const firstRetryMs = 250

/** Milliseconds before the next try, after so many failures of what has never succeeded: soon at first, then every `usualMs`. */
export const retryDelay = (failures: number, usualMs: number): number => Math.min(firstRetryMs * 2 ** Math.min(failures - 1, 20), usualMs)

export function createOutageLog (log: Log, what: string): OutageLog {
  let told = false
  return {
    failed (error) {
      log[told ? 'debug' : 'warn']({ err: error }, `${what} could not be read; trying again`)
      told = true
    },
    succeeded () {
      if (told) log.info({}, `${what} can be read again`)
      told = false
    }
  }
}
