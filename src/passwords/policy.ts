import type { FieldError } from '../errors.ts'
import { isText } from '../input/formats.ts'

export interface PasswordPolicyOptions {
  /** Fewest code points after NFC (ASVS 6.2.1: at least 8). */
  minLength?: number
  /** Most code points after NFC (ASVS 6.2.9: at least 64). */
  maxLength?: number
}

/** Lengths of a password where nothing else is configured. */
export const defaultLengths = { minLength: 8, maxLength: 128 }

/** Whose password it is to be: words that others would guess first. */
export interface PasswordContext {
  email?: string | null
  username?: string | null
  firstName?: string | null
  lastName?: string | null
}

export interface PasswordPolicy {
  /** All that is wrong with a new password, each with this JSON pointer as `path`; empty when it is acceptable. */
  check(password: string, path: string, context?: PasswordContext): Promise<FieldError[]>
}

/** A password under judgement: `text` in NFC, `folded` for comparisons that ignore case. */
interface Candidate { text: string, folded: string, context: PasswordContext }

/** One requirement: what is wrong, or undefined. */
type PasswordRule = (candidate: Candidate) => Omit<FieldError, 'path'> | undefined

const serviceName = 'auth-serve'

/** Shorter names and local parts occur in too many good passwords. */
const nameMinLength = 4

const lengthOf = (text: string): number => [...text].length
const fold = (text: string): string => text.normalize('NFC').toLowerCase()
const contains = ({ folded }: Candidate, word: string, minLength = 1): boolean =>
  lengthOf(word) >= minLength && folded.includes(fold(word))

const tooShort = (minLength: number): PasswordRule => ({ text }) =>
  lengthOf(text) < minLength ? { code: 'too_short', message: `Use at least ${minLength} characters.` } : undefined

const tooLong = (maxLength: number): PasswordRule => ({ text }) =>
  lengthOf(text) > maxLength ? { code: 'too_long', message: `Use at most ${maxLength} characters.` } : undefined

const containsEmail: PasswordRule = candidate => {
  const email = candidate.context.email ?? ''
  const localPart = email.slice(0, Math.max(0, email.lastIndexOf('@')))
  if (!contains(candidate, email) && !contains(candidate, localPart, nameMinLength)) return undefined
  return { code: 'contains_email', message: 'Leave out the e-mail address and the part of it before the "@".' }
}

const containsUsername: PasswordRule = candidate =>
  contains(candidate, candidate.context.username ?? '', nameMinLength)
    ? { code: 'contains_username', message: 'Leave out the username.' }
    : undefined

const containsServiceName: PasswordRule = candidate =>
  contains(candidate, serviceName)
    ? { code: 'contains_service_name', message: `Leave out the name of the service, "${serviceName}".` }
    : undefined

/**
 * What a new password must be. There are no composition rules (ASVS 6.2.5); a further requirement is one more rule of
 * the list. Passwords that people have already are verified as they are, never checked.
 *
 * @throws RangeError when no length would be right.
 */
export function createPasswordPolicy (options: PasswordPolicyOptions = {}): PasswordPolicy {
  const { minLength = defaultLengths.minLength, maxLength = defaultLengths.maxLength } = options
  if (minLength > maxLength) throw new RangeError(`minLength (${minLength}) must not be more than maxLength (${maxLength})`)
  const rules = [tooShort(minLength), tooLong(maxLength), containsEmail, containsUsername, containsServiceName]

  return {
    async check (password, path, context = {}) {
      // NUL ends strings in other software; a lone surrogate would be hashed as if it were U+FFFD.
      if (!isText(password)) {
        return [{ path, code: 'bad_text', message: 'The password holds characters that are not text (NUL or half of a surrogate pair).' }]
      }
      const candidate = { text: password.normalize('NFC'), folded: fold(password), context }
      return rules.flatMap(rule => {
        const problem = rule(candidate)
        return problem === undefined ? [] : [{ path, ...problem }]
      })
    }
  }
}
