import type { KeyRing } from '../keys/key-ring.ts'
import type { Secrets } from '../keys/secrets.ts'
import type { TokenPair } from '../schemas/token.ts'
import { formatRefreshToken } from './refresh-token.ts'

/** A session at the moment at which tokens are issued for it. */
export interface TokenGrant {
  sessionId: string
  userId: string
  roles: string[]
  authzVersion: number
  /** When the person last proved who they are. */
  authTime: Date
  /** Until when access tokens of the session may live: never past its end. */
  accessUntil: Date
  /** When the refresh token expires if it is not used. */
  idleExpiresAt: Date
  /** The database's clock at this moment. */
  now: Date
  refresh: { n: number, secret: Buffer }
}

/** Issues the tokens of a session. Throws CodedError SERVICE_UNAVAILABLE while there is no key to sign with. */
export type IssueTokens = (grant: TokenGrant) => Promise<TokenPair>

const epochSeconds = (date: Date): number => Math.floor(date.getTime() / 1000)

export function createIssueTokens ({ keyRing, secrets }: { keyRing: Pick<KeyRing, 'sign'>, secrets: Secrets }): IssueTokens {
  return async ({ refresh, ...grant }) => {
    const issuedAt = epochSeconds(grant.now)
    const expiresAt = epochSeconds(grant.accessUntil)
    return {
      accessToken: await keyRing.sign({ ...grant, authTime: epochSeconds(grant.authTime), issuedAt, expiresAt }),
      refreshToken: formatRefreshToken(secrets, { sessionId: grant.sessionId, ...refresh }),
      tokenType: 'Bearer',
      expiresIn: Math.max(0, expiresAt - issuedAt),
      refreshExpiresIn: Math.max(0, epochSeconds(grant.idleExpiresAt) - issuedAt),
      sessionId: grant.sessionId
    }
  }
}
