import { CodedError, errorCatalogue } from '../errors.ts'
import type { Introspection } from '../schemas/introspection.ts'
import type { RecogniseToken } from './authenticate.ts'

/**
 * What a token is worth at this moment (RFC 7662): its claims while it is a live access token, else nothing but that it is
 * not. Throws CodedError SERVICE_UNAVAILABLE while that cannot be known.
 */
export type Introspect = (token: string) => Promise<Introspection>

export function createIntrospect (recognise: RecogniseToken): Introspect {
  return async token => {
    try {
      return { active: true, token_type: 'Bearer', ...await recognise(token) }
    } catch (error) {
      if (error instanceof CodedError && errorCatalogue[error.code].status === 401) return { active: false }
      throw error
    }
  }
}
