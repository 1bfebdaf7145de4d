import { setTimeout as delay } from 'node:timers/promises'

/** Resolves while the dependency is well, rejects while it is not. */
export type DependencyCheck = () => Promise<void>

export interface Dependency {
  check: DependencyCheck
  /** Whether the service cannot serve without it; one that is not required is only told. */
  required: boolean
}

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

/** Asks every dependency at once and says whether all that are required are well. */
export async function checkDependencies (dependencies: ReadonlyMap<string, Dependency>, { closing, timeoutMs }: CheckOptions): Promise<DependencyReport> {
  const states = await Promise.all([...dependencies].map(async ([name, { check, required }]) => ({ name, required, status: await stateOf(check, timeoutMs) })))
  return {
    ready: !closing && states.every(({ required, status }) => !required || status === 'up'),
    dependencies: Object.fromEntries(states.map(({ name, status }) => [name, { status }]))
  }
}
