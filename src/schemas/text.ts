import { Type, type StringOptions, type TString } from '@sinclair/typebox'

/** Free text; refuses NUL and lone surrogates. Lengths count code points. */
export function Text (options: StringOptions = {}): TString {
  return Type.String({ ...options, format: 'text' })
}

/** An e-mail address as a person writes it; it is compared in the form of `canonicalEmail`. */
export function Email (options: StringOptions = {}): TString {
  return Type.String({ description: 'An e-mail address', examples: ['ada@example.com'], ...options, format: 'email', maxLength: 254 })
}

/** A name to sign in with; compared in the form of `canonicalUsername`. */
export function Username (options: StringOptions = {}): TString {
  return Type.String({
    description: 'Letters, digits, ".", "_" and "-", beginning and ending with a letter or digit; upper and lower case are the same',
    examples: ['ada'],
    ...options,
    minLength: 3,
    maxLength: 32,
    // The pattern leaves the length to minLength and maxLength, so that a wrong name is told one reason.
    pattern: '^(?:[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)?$',
    'x-message': 'Use letters, digits, ".", "_" and "-", beginning and ending with a letter or digit.'
  })
}

/**
 * Text that nobody may read in a log, a metric or an error. The bounds only keep absurd input out: a password's policy
 * is configured, and counted in NFC, by the domain.
 */
export function Secret (options: StringOptions = {}): TString {
  return Type.String({ ...options, format: 'password', minLength: 1, maxLength: 4096, 'x-sensitive': true })
}

/** A password, to be set or to be checked. */
export function Password (options: StringOptions = {}): TString {
  return Secret({ description: 'A password', examples: ['correct horse battery staple'], ...options })
}

/** An id of any UUID version (RFC 9562); those we make are UUIDv7. */
export function Uuid (options: StringOptions = {}): TString {
  return Type.String({ ...options, format: 'uuid' })
}

/** A moment in ISO 8601 as RFC 3339 narrows it. */
export function DateTime (options: StringOptions = {}): TString {
  return Type.String({ ...options, format: 'date-time' })
}
