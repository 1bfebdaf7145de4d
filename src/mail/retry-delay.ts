import { backOff } from '../leasing/back-off.ts'

/** Seconds before the second try; the third waits twice as long, and so on. */
const firstSeconds = 1
/** Longest wait after an outage. */
export const outageCapSeconds = 60
/** For how long a mail is tried every minute or so; what a server still refuses then may take hours. */
const impatientSeconds = 600
const laterCapSeconds = 900

/**
 * Seconds until the next try. Outages keep the short cap, since the breaker bounds the tries and their end should be seen
 * soon.
 */
export function retryDelay ({ attempts, ageSeconds, outage }: { attempts: number, ageSeconds: number, outage: boolean }): number {
  return backOff({ attempts, firstSeconds, capSeconds: outage || ageSeconds < impatientSeconds ? outageCapSeconds : laterCapSeconds })
}
