import type { FieldError } from '../errors.ts'
import { isText } from '../input/formats.ts'
import type { IsBreached } from './breach-check.ts'
import type { Estimator } from './estimator.ts'
import { fold } from './fold.ts'
import { common, containsEmail, containsServiceName, containsUsername, localPartOf, missing, tooLong, tooShort, tooWeak, type CharacterKind, type PasswordContext, type Weakness } from './rules.ts'

export interface PasswordPolicyOptions {
  /** Fewest code points after NFC (ASVS 6.2.1: at least 8). */
  minLength?: number
  /** Most code points after NFC (ASVS 6.2.9: at least 64). */
  maxLength?: number
  /** Least score of the estimate, 0..4. */
  minStrength?: number
  /** Kinds of characters that it must hold; none by default (ASVS 6.2.5). */
  require?: readonly CharacterKind[]
  /** Names of the service and what belongs to it; no password may contain one. */
  serviceNames?: readonly string[]
}

/** What holds of a password where nothing else is configured. */
export const policyDefaults = { minLength: 8, maxLength: 128, minStrength: 3, serviceNames: ['auth-serve'] }

/** What judges a password beside the rules; without `isBreached` nobody is asked. */
export interface PasswordJudges { estimator: Pick<Estimator, 'estimate'>, isBreached?: IsBreached }

export interface PasswordPolicy {
  /**
   * All that is wrong with a new password, each with this JSON pointer as `path`; empty when it is acceptable. Whether it
   * was breached is asked last, and only of a password that is acceptable otherwise.
   *
   * @throws CodedError OVERLOADED or SERVICE_UNAVAILABLE when its strength cannot be judged at this moment.
   */
  check(password: string, path: string, context?: PasswordContext): Promise<FieldError[]>
}

const badText: Weakness = { code: 'bad_text', message: 'The password holds characters that are not text (NUL or half of a surrogate pair).' }

const breached: Weakness = { code: 'breached', message: 'Choose another password: this one was found in a data breach. If you use it elsewhere, change it there too.' }

/** Shorter words are found in anything. */
const wordMinLength = 3

/** Words that are worth nothing in a password of this account: a full name is one of them, and not two or three. */
function wordsOf ({ email, username, firstName, lastName }: PasswordContext, serviceNames: readonly string[]): string[] {
  const names = [firstName ?? '', lastName ?? '']
  const words = [email ?? '', ...(email ?? '').split(/[@.]/), localPartOf(email ?? ''), username ?? '', ...names, ...serviceNames]
  const parts = [...words, ...words.flatMap(word => word.split(/[^\p{L}\p{M}\p{N}]+/u)), ...['', ' ', '.', '-', '_'].map(between => names.join(between))]
  return [...new Set(parts.map(fold))].filter(word => word.length >= wordMinLength)
}

/**
 * What a new password must be. Passwords that people have already are verified as they are, never checked.
 *
 * @throws RangeError when no length would be right.
 */
export function createPasswordPolicy (options: PasswordPolicyOptions, { estimator, isBreached = async () => false }: PasswordJudges): PasswordPolicy {
  const { minLength, maxLength, minStrength, serviceNames } = { ...policyDefaults, ...options }
  if (minLength > maxLength) throw new RangeError(`minLength (${minLength}) must not be more than maxLength (${maxLength})`)
  const rules = [
    tooShort(minLength), tooLong(maxLength), ...(options.require ?? []).map(missing),
    containsEmail, containsUsername, containsServiceName(serviceNames), common, tooWeak(minStrength)
  ]

  async function weaknessesOf (password: string, context: PasswordContext): Promise<Weakness[]> {
    // NUL ends strings in other software; a lone surrogate would be hashed as if it were U+FFFD.
    if (!isText(password)) return [badText]
    const text = password.normalize('NFC')
    const estimation = await estimator.estimate({ password: text, words: wordsOf(context, serviceNames) })
    const candidate = { text, folded: fold(text), context, estimation }
    const weaknesses = rules.flatMap(rule => rule(candidate) ?? [])
    return weaknesses.length === 0 && await isBreached(text) ? [breached] : weaknesses
  }

  return {
    check: async (password, path, context = {}) => (await weaknessesOf(password, context)).map(weakness => ({ path, ...weakness }))
  }
}
