/** Seconds before the second try; the third waits twice as long, and so on. */
const firstSeconds = 1
/** Longest wait after an outage. */
export const outageCapSeconds = 60
/** For how long a mail is tried every minute or so; what a server still refuses then may take hours. */
const impatientSeconds = 600
const laterCapSeconds = 900

/**
 * Seconds until the next try: exponential, a quarter of it by chance, so that mails that failed together do not return
 * together. Outages keep the short cap, since the breaker bounds the tries and their end should be seen soon.
 */
export function retryDelay ({ attempts, ageSeconds, outage }: { attempts: number, ageSeconds: number, outage: boolean }): number {
  const cap = outage || ageSeconds < impatientSeconds ? outageCapSeconds : laterCapSeconds
  const delay = Math.min(cap, firstSeconds * 2 ** Math.min(attempts - 1, 20))
  return delay * (0.75 + 0.25 * Math.random())
}
