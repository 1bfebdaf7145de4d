import { exampleSecret, secretMinLength } from './declaration.ts'

// Words that people type where a random value belongs. They are taken out before the length is judged, so that a
// recognisable prefix before enough random characters is no offence.
const placeholders = [
  exampleSecret, 'changeme', 'change-me', 'change_me', 'changeit', 'replaceme', 'replace', 'password', 'passwort',
  'passphrase', 'secret', 'example', 'default', 'insecure', 'development', 'production', 'supersafe', 'authserve',
  'auth-serve', 'auth_serve', 'qwertyuiop', 'qwerty', 'letmein', 'abcdefghijklmnopqrstuvwxyz', 'abcdefgh',
  '0123456789', '1234567890', '12345678'
].sort((a, b) => b.length - a.length)

const fewestDistinctCharacters = 8

/**
 * Why a secret of sufficient length is too easy to guess for production, in words that complete "... is", or undefined
 * when it is not. Finds what people write by hand (ASVS 13.3); it cannot prove randomness.
 */
export function secretWeakness (secret: string): string | undefined {
  const rest = placeholders.reduce((left, word) => left.replaceAll(word, ''), secret.toLowerCase())
  if (rest.length < secretMinLength) {
    return `an example or made of known words (fewer than ${secretMinLength} characters remain without them)`
  }
  if (new Set(secret).size < fewestDistinctCharacters) return 'made of few, repeated characters'
  // A text is a repetition of a shorter one exactly when it occurs in its own double before its own length.
  if ((secret + secret).indexOf(secret, 1) < secret.length) return 'a repetition of a shorter text'
  return undefined
}
