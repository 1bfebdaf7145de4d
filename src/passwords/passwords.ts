import { loadHashEngine, type HashEngineChoice } from './engines.ts'
import { createPasswordHasher, type PasswordHasher, type PasswordHasherOptions } from './hasher.ts'
import { createPasswordPolicy, type PasswordPolicy, type PasswordPolicyOptions } from './policy.ts'

/** Everything that the rules need of passwords: making and checking hashes, and judging new ones. */
export interface Passwords extends PasswordHasher, PasswordPolicy {}

export interface PasswordSettings extends Omit<PasswordHasherOptions, 'engine'>, PasswordPolicyOptions {
  engine?: HashEngineChoice
}

/** @throws Error at once for an engine that does not load, RangeError for bounds that contradict each other. */
export async function createPasswords ({ engine = 'auto', ...options }: PasswordSettings = {}): Promise<Passwords> {
  const policy = createPasswordPolicy(options)
  return { ...createPasswordHasher({ ...options, engine: await loadHashEngine(engine) }), ...policy }
}
