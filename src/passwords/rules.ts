import type { FieldError } from '../errors.ts'
import type { Estimation } from './estimation.ts'
import { fold } from './fold.ts'

/** Whose password it is to be: words that others would guess first. */
export interface PasswordContext {
  email?: string | null
  username?: string | null
  firstName?: string | null
  lastName?: string | null
}

/** A password under judgement: `text` in NFC, `folded` for comparisons that ignore case. */
export interface Candidate { text: string, folded: string, context: PasswordContext, estimation: Estimation }

export type Weakness = Omit<FieldError, 'path'>

/** One requirement: what is wrong, or undefined. */
export type PasswordRule = (candidate: Candidate) => Weakness | undefined

/** Kinds of characters that a password may have to hold. */
export type CharacterKind = 'lower' | 'upper' | 'digit' | 'symbol'

/** Shorter names and local parts occur in too many good passwords. */
const nameMinLength = 4

const lengthOf = (text: string): number => [...text].length
const contains = ({ folded }: Candidate, word: string, minLength = 1): boolean =>
  lengthOf(word) >= minLength && folded.includes(fold(word))

export const localPartOf = (email: string): string => email.slice(0, Math.max(0, email.lastIndexOf('@')))

export const tooShort = (minLength: number): PasswordRule => ({ text }) =>
  lengthOf(text) < minLength ? { code: 'too_short', message: `Use at least ${minLength} characters.` } : undefined

export const tooLong = (maxLength: number): PasswordRule => ({ text }) =>
  lengthOf(text) > maxLength ? { code: 'too_long', message: `Use at most ${maxLength} characters.` } : undefined

const characters: Record<CharacterKind, { pattern: RegExp, message: string }> = {
  lower: { pattern: /\p{Lowercase}/u, message: 'Use a lower-case letter.' },
  upper: { pattern: /\p{Uppercase}/u, message: 'Use an upper-case letter.' },
  digit: { pattern: /\p{Nd}/u, message: 'Use a digit.' },
  symbol: { pattern: /[\p{P}\p{S}]/u, message: 'Use a symbol or punctuation mark.' }
}

export const missing = (kind: CharacterKind): PasswordRule => ({ text }) =>
  characters[kind].pattern.test(text) ? undefined : { code: `missing_${kind}`, message: characters[kind].message }

export const containsEmail: PasswordRule = candidate => {
  const email = candidate.context.email ?? ''
  if (!contains(candidate, email) && !contains(candidate, localPartOf(email), nameMinLength)) return undefined
  return { code: 'contains_email', message: 'Leave out the e-mail address and the part of it before the "@".' }
}

export const containsUsername: PasswordRule = candidate =>
  contains(candidate, candidate.context.username ?? '', nameMinLength)
    ? { code: 'contains_username', message: 'Leave out the username.' }
    : undefined

export const containsServiceName = (names: readonly string[]): PasswordRule => candidate => {
  const name = names.find(word => contains(candidate, word))
  return name === undefined ? undefined : { code: 'contains_service_name', message: `Leave out the name of the service, "${name}".` }
}

export const common: PasswordRule = ({ estimation }) =>
  estimation.common ? { code: 'common', message: 'Choose another password: this one is among those that are tried first.' } : undefined

/** What may be said of a password that is weaker than demanded, and yet not so weak that the estimate gives advice. */
const defaultAdvice = ['Add more words that are less common.']

export const tooWeak = (minStrength: number): PasswordRule => ({ estimation: { score, advice } }) => {
  if (score >= minStrength) return undefined
  return { code: 'too_weak', message: ['This password is too easy to guess.', ...advice.length > 0 ? advice : defaultAdvice].join(' ') }
}
