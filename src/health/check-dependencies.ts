import { setTimeout as delay } from 'node:timers/promises'

/** Resolves while the dependency is well, rejects while it is not. */
export type DependencyCheck = () => Promise<void>

export type DependencyState = 'up' | 'down'

export interface DependencyReport {
  ready: boolean
  dependencies: Record<string, { status: DependencyState }>
}

export interface CheckOptions {
  /** The process is going away: nothing new should come here. */
  closing: boolean
  timeoutMs: number
}

async function stateOf (check: DependencyCheck, timeoutMs: number): Promise<DependencyState> {
  const timer = new AbortController()
  try {
    return await Promise.race([
      check().then(() => 'up' as const, () => 'down' as const),
      delay(timeoutMs, 'down' as const, { signal: timer.signal })
    ])
  } finally {
    timer.abort()
  }
}

/** Asks every dependency at once and says whether all of them are well. */
export async function checkDependencies (checks: ReadonlyMap<string, DependencyCheck>, { closing, timeoutMs }: CheckOptions): Promise<DependencyReport> {
  const states = await Promise.all([...checks].map(async ([name, check]) => [name, { status: await stateOf(check, timeoutMs) }] as const))
  return { ready: !closing && states.every(([, { status }]) => status === 'up'), dependencies: Object.fromEntries(states) }
}
