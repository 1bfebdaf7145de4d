import { parseOptions } from '../options.ts'
import type { BreakerState } from '../schemas/breaker.ts'
import type { GuardedCall } from './bounds.ts'
import { createBreaker, type Breaker, type CallOptions, type Transition } from './breaker.ts'
import { BreakerPolicySchema, type BreakerPolicyOptions } from './policy.ts'

/** Guards calls to one dependency; see Breaker.run. */
export type Guard = Breaker['run']

/** The breakers of a scope, by name. */
export interface Breakers {
  /**
   * Calls `fn` under the breaker of that name, which is made with the defaults where no policy was given. Names stand
   * for dependencies: few, and constant.
   *
   * @throws CodedError SERVICE_UNAVAILABLE at once while the breaker is open, and when `fn` takes longer than
   * `timeoutMs`; OVERLOADED beyond the bulkhead; otherwise whatever `fn` throws.
   */
  protect<T>(name: string, fn: GuardedCall<T>, options?: CallOptions): Promise<T>
  /**
   * Gives the breaker of that name its policy, once and before its first call.
   *
   * @throws TypeError for a policy that is not valid and for a name that is in use.
   */
  policy(name: string, options?: BreakerPolicyOptions): Guard
  /** Drops a breaker whose dependency is no more; the name is free again. */
  forget(name: string): void
  list(): BreakerState[]
}

export interface BreakersOptions {
  /** What holds for every breaker. */
  defaults?: BreakerPolicyOptions
  /** What an operator sets for single breakers; it outranks the policy that code gives. */
  overrides?: Readonly<Record<string, BreakerPolicyOptions>>
  onTransition: (transition: Transition) => void
}

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

/** @throws TypeError for an override that is not valid. */
export function createBreakers ({ defaults, overrides = {}, onTransition }: BreakersOptions): Breakers {
  for (const [name, override] of Object.entries(overrides)) parseOptions(`breaker "${name}"`, BreakerPolicySchema, override)
  const breakers = new Map<string, Breaker>()

  function add (name: string, options: BreakerPolicyOptions = {}): Breaker {
    if (!namePattern.test(name)) throw new TypeError(`auth-serve breaker: ${JSON.stringify(name)} is no name for a breaker`)
    if (breakers.has(name)) throw new TypeError(`auth-serve breaker: the breaker "${name}" has its policy already`)
    const override = Object.hasOwn(overrides, name) ? overrides[name] : {}
    const breaker = createBreaker(name, parseOptions('breaker', BreakerPolicySchema, { ...defaults, ...options, ...override }), onTransition)
    breakers.set(name, breaker)
    return breaker
  }

  return {
    protect: async (name, fn, options) => await (breakers.get(name) ?? add(name)).run(fn, options),
    policy: (name, options) => add(name, options).run,
    forget: name => { breakers.delete(name) },
    list: () => [...breakers.values()].map(breaker => breaker.state())
  }
}
