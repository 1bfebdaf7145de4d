import { CodedError } from '../errors.ts'
import type { HashEngine } from './engines.ts'
import { foreignBounds } from './foreign/bounds.ts'
import { parseForeignHash } from './foreign/accept.ts'
import { parseHash } from './phc.ts'

/** Checks a password against the hash that it was made for. */
export type Verifier = (password: string) => Promise<boolean>

/**
 * Our own hashes are of the password in NFC. An argon2 hash with parameters that are not the current ones may be of
 * another system, which took the password as it was typed; where that is another text, it is tried second.
 */
const ownVerifier = (hash: string, engine: HashEngine, isCurrent: boolean): Verifier => async password => {
  const normal = password.normalize('NFC')
  if (await engine.verify(hash, normal)) return true
  return normal !== password && !isCurrent && await engine.verify(hash, password)
}

/**
 * How a stored hash is checked; undefined for one that is not computed: malformed, of no known scheme, or beyond the
 * bounds (`parameterBounds` for argon2 as we make it, `foreignBounds` for all other schemes). The password of another
 * system's hash is taken as typed.
 *
 * What it answers throws CodedError SERVICE_UNAVAILABLE when the work on another system's hash fails, for want of memory say.
 */
export function verifierOf (hash: string, engine: HashEngine, isCurrent: boolean): Verifier | undefined {
  if (parseHash(hash) !== undefined) return ownVerifier(hash, engine, isCurrent)
  const foreign = parseForeignHash(hash)
  if (foreign === undefined || foreign.refusal(foreignBounds) !== undefined) return undefined
  return async password => {
    try {
      return await foreign.verify(password)
    } catch (cause) {
      throw new CodedError('SERVICE_UNAVAILABLE', 'The password cannot be checked at this moment; try again.', { retryAfterSeconds: 1, cause })
    }
  }
}
