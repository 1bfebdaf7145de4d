import type { Verdict } from '../breakers/policy.ts'

/** What a failed try means: the server is away (`outage`), it does not want the mail now (`later`) or ever (`refused`). */
export type FailureKind = 'outage' | 'later' | 'refused'

/** What nodemailer and its kind tell of a failure. */
interface TransportFailure { code?: string, command?: string, responseCode?: number }

function detailsOf (error: unknown): TransportFailure {
  if (typeof error !== 'object' || error === null) return {}
  const { code, command, responseCode }: { code?: unknown, command?: unknown, responseCode?: unknown } = error
  return {
    ...typeof code === 'string' && { code },
    ...typeof command === 'string' && { command },
    ...typeof responseCode === 'number' && { responseCode }
  }
}

/** 421 ends the connection, whatever it answers (RFC 5321, 3.8). 503 says that the session went wrong, not the mail. */
const aboutConnection = new Set([421, 503])

/**
 * Tells failures apart by the SMTP reply (RFC 5321, 4.2.1): a mail that is refused for good by its recipient or content
 * will be refused again. A sender that is refused, like a wrong password, is a mistake in the settings that an operator can mend.
 */
export function failureKind (error: unknown): FailureKind {
  const { code, command = '', responseCode } = detailsOf(error)
  if (code !== 'EENVELOPE' && code !== 'EMESSAGE') return 'outage'
  if (responseCode === undefined) return 'refused'
  if (aboutConnection.has(responseCode)) return 'outage'
  return responseCode >= 500 && command !== 'MAIL FROM' ? 'refused' : 'later'
}

/** For the breaker: a server that answers about a mail is there. */
export const judgeMailError = (error: unknown): Verdict => failureKind(error) === 'outage' ? 'failure' : 'answer'

/** Longest text of an error that is kept. */
const maxLength = 200

/**
 * A failure in one short line for operators, without stack, and without the texts that are to be hidden.
 */
export function describeFailure (error: unknown, hidden: readonly string[]): string {
  const message = error instanceof Error ? error.message : String(error)
  const { code } = detailsOf(error)
  const line = hidden.filter(text => text !== '').reduce((text, secret) => text.replaceAll(secret, '[hidden]'), code === undefined || message.startsWith(code) ? message : `${code}: ${message}`)
  return line.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').slice(0, maxLength)
}
