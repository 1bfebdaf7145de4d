import { setTimeout as delay } from 'node:timers/promises'

/** Waits until the condition holds; fails after ten seconds, or as many as are given. */
export async function until (what: string, condition: () => Promise<boolean> | boolean, seconds = 10): Promise<void> {
  const end = Date.now() + seconds * 1000
  while (!await condition()) {
    if (Date.now() > end) throw new Error(`still not so: ${what}`)
    await delay(20)
  }
}
