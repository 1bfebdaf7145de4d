/**
 * Seconds until the next try after so many: doubling from `firstSeconds` up to `capSeconds`, a quarter of it by chance, so
 * that what failed together does not return together.
 */
export function backOff ({ attempts, firstSeconds, capSeconds }: { attempts: number, firstSeconds: number, capSeconds: number }): number {
  return Math.min(capSeconds, firstSeconds * 2 ** Math.min(attempts - 1, 20)) * (0.75 + 0.25 * Math.random())
}
