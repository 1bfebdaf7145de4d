import { setTimeout as delay } from 'node:timers/promises'

/** What a dependency tells beside its state. */
export interface DependencyDetails {
  /** Seconds for which it has not heard anything new. */
  stalenessSeconds?: number
}

/** Resolves while the dependency is well; rejects while it is not, or resolves to `down` where there is more to tell. */
export type DependencyCheck = () => Promise<(DependencyDetails & { down?: boolean }) | void>

export interface Dependency {
  check: DependencyCheck
  /** Whether the service cannot serve without it; one that is not required is only told. */
  required: boolean
}

export type DependencyState = 'up' | 'down'

export interface DependencyReport {
  ready: boolean
  dependencies: Record<string, { status: DependencyState } & DependencyDetails>
}

export interface CheckOptions {
  /** The process is going away: nothing new should come here. */
  closing: boolean
  timeoutMs: number
}

async function stateOf (check: DependencyCheck, timeoutMs: number): Promise<{ status: DependencyState } & DependencyDetails> {
  const timer = new AbortController()
  const down = { status: 'down' as const }
  try {
    return await Promise.race([
      check().then(told => {
        const { down: isDown = false, ...details } = told ?? {}
        return { status: isDown ? 'down' as const : 'up' as const, ...details }
      }, () => down),
      delay(timeoutMs, down, { signal: timer.signal })
    ])
  } finally {
    timer.abort()
  }
}

/** Asks every dependency at once and says whether all that are required are well. */
export async function checkDependencies (dependencies: ReadonlyMap<string, Dependency>, { closing, timeoutMs }: CheckOptions): Promise<DependencyReport> {
  const states = await Promise.all([...dependencies].map(async ([name, { check, required }]) => ({ name, required, state: await stateOf(check, timeoutMs) })))
  return {
    ready: !closing && states.every(({ required, state }) => !required || state.status === 'up'),
    dependencies: Object.fromEntries(states.map(({ name, state }) => [name, state]))
  }
}
