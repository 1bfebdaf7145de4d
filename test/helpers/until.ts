import { setTimeout as delay } from 'node:timers/promises'

/** Waits until the condition holds; fails after ten seconds. */
export async function until (what: string, condition: () => Promise<boolean> | boolean): Promise<void> {
  const end = Date.now() + 10_000
  while (!await condition()) {
    if (Date.now() > end) throw new Error(`still not so: ${what}`)
    await delay(20)
  }
}
