import { safeText } from './scrub.ts'

/** Something that happened to an account, a session or a right, as the log tells it. */
export interface SecurityEvent {
  /** A name of the OWASP logging vocabulary, such as `authn_login_fail`; logged as `event`. */
  type: string
  outcome: 'success' | 'failure'
  actorId?: string | null | undefined
  targetId?: string | null | undefined
  sessionId?: string | null | undefined
  /** Where it came from; taken from the request where one is given. */
  requestId?: string | null | undefined
  ipAddress?: string | null | undefined
  userAgent?: string | null | undefined
  /** Scalars that help whoever reads the log; anything else is only named by its type. */
  details?: Readonly<Record<string, unknown>> | undefined
}

const maxDetails = 20
export const maxIpLength = 64
export const maxUserAgentLength = 256

const optional = (value: string | null | undefined, maxLength = maxIpLength): string | undefined =>
  value === null || value === undefined ? undefined : safeText(value, maxLength)

function detailOf (value: unknown): unknown {
  if (typeof value === 'string') return safeText(value, maxUserAgentLength)
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return value
  return `[${Array.isArray(value) ? 'array' : typeof value}]`
}

/** The fields of the line of a security event. */
export function eventFields ({ type, outcome, details, ...event }: SecurityEvent) {
  return {
    event: type,
    outcome,
    actorId: optional(event.actorId),
    targetId: optional(event.targetId),
    sessionId: optional(event.sessionId),
    ipAddress: optional(event.ipAddress),
    userAgent: optional(event.userAgent, maxUserAgentLength),
    details: details === undefined
      ? undefined
      : Object.fromEntries(Object.entries(details).slice(0, maxDetails).map(([name, value]) => [name, detailOf(value)]))
  }
}
