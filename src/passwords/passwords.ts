import { createBreachCheck, type BreachCheckOptions, type BreachCheckSurroundings } from './breach-check.ts'
import { loadHashEngine, type HashEngineChoice } from './engines.ts'
import { createPasswordHasher, type PasswordHasher, type PasswordHasherOptions } from './hasher.ts'
import { createPasswordPolicy, type PasswordPolicy, type PasswordPolicyOptions } from './policy.ts'
import { shareEstimator } from './shared-estimator.ts'

/** Everything that the rules need of passwords: making and checking hashes, and judging new ones. */
export interface Passwords extends PasswordHasher, PasswordPolicy {
  /** Ends what judges in the background. */
  close(): Promise<void>
}

export interface PasswordSettings extends Omit<PasswordHasherOptions, 'engine'>, PasswordPolicyOptions, BreachCheckOptions {
  engine?: HashEngineChoice
  /** Range API that knows breached passwords, or a folder of its ranges as `file:` URL; absent, nobody is asked. */
  breachUrl?: string
}

/**
 * @throws Error at once for an engine that does not load, RangeError for bounds that contradict each other, TypeError for
 * a URL that is none.
 */
export async function createPasswords ({ engine = 'auto', breachUrl, ...options }: PasswordSettings = {}, surroundings: BreachCheckSurroundings = {}): Promise<Passwords> {
  const estimator = shareEstimator()
  const isBreached = breachUrl === undefined ? undefined : createBreachCheck(breachUrl, options, surroundings)
  const policy = createPasswordPolicy(options, { estimator, isBreached })
  const hasher = createPasswordHasher({ ...options, engine: await loadHashEngine(engine) })
  return { ...hasher, ...policy, close: estimator.close }
}
