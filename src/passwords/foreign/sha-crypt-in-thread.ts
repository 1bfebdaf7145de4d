import { once } from 'node:events'
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'

const extension = extname(import.meta.url)

/** What the thread needs at most. */
const resourceLimits = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 8 }

/**
 * Whether the password made this hash, found out in a thread that is started for it: rounds are many small digests, which
 * would hold up the event loop. It happens for one person once, so that no thread is kept.
 *
 * @throws when the thread fails.
 */
export async function verifyInThread (password: string, hash: string): Promise<boolean> {
  const question = { password, hash }
  // In development: what lets Node.js 20 run TypeScript does not reach its threads.
  if (extension === '.ts') return (await import('./sha-crypt-digest.ts')).verifyShaCrypt(question)
  const thread = new Worker(new URL('./sha-crypt-thread.js', import.meta.url), {
    name: 'auth-serve-sha-crypt', execArgv: [], env: {}, workerData: question, resourceLimits
  })
  try {
    const ended = once(thread, 'exit').then(() => { throw new Error('the thread ended without an answer') })
    const [answer]: unknown[] = await Promise.race([once(thread, 'message'), ended])
    if (typeof answer !== 'boolean') throw new TypeError('the thread answered something else')
    return answer
  } finally {
    await thread.terminate()
  }
}
