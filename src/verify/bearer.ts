import type { IncomingHttpHeaders } from 'node:http'
import { CodedError } from '../errors.ts'

/** The part of a raw request that a token is taken from. */
export interface RawRequest { readonly headers: IncomingHttpHeaders, readonly rawHeaders: readonly string[] }

const isAuthorization = (name: string, index: number): boolean => index % 2 === 0 && name.toLowerCase() === 'authorization'

/**
 * The token of the one Authorization header (RFC 6750, 2.1); the name of the scheme is in any case (RFC 9110, 11.1). Throws
 * CodedError TOKEN_MISSING where nothing was sent that could be one, and TOKEN_INVALID where it is malformed.
 */
export function bearerToken ({ headers: { authorization }, rawHeaders }: RawRequest, maxLength: number): string {
  // Node.js keeps the first of several; another reader on the way may have taken the last.
  if (rawHeaders.filter(isAuthorization).length > 1) throw new CodedError('TOKEN_INVALID', 'Send one Authorization header.')
  if (authorization === undefined || !/^Bearer(?: |$)/i.test(authorization)) {
    throw new CodedError('TOKEN_MISSING', 'Send an access token as "Authorization: Bearer <token>".')
  }
  const [, token] = /^Bearer +([A-Za-z0-9._~+/=-]+)$/i.exec(authorization) ?? []
  if (token === undefined) throw new CodedError('TOKEN_INVALID', 'The Authorization header is not of the form "Bearer <token>".')
  if (token.length > maxLength) throw new CodedError('TOKEN_INVALID', 'The access token is too long.')
  return token
}

/** Characters that an `error_description` may have (RFC 6750, 3); a quote or a backslash would end it. */
const describable = (text: string): string => text.replaceAll(/[^\x20-\x7e]|["\\]/g, '\'')

/** The challenge that goes with a refusal (RFC 6750, 3): bare where no token was sent. Undefined where none is due. */
export function bearerChallenge ({ code, message }: CodedError): string | undefined {
  if (code === 'TOKEN_MISSING') return 'Bearer'
  if (code === 'FORBIDDEN') return `Bearer error="insufficient_scope", error_description="${describable(message)}"`
  const refused = code === 'TOKEN_INVALID' || code === 'TOKEN_EXPIRED' || code === 'TOKEN_STALE' || code === 'SESSION_REVOKED'
  return refused ? `Bearer error="invalid_token", error_description="${describable(message)}"` : undefined
}
