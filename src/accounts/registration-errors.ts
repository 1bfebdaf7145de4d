import { CodedError, invalidInput } from '../errors.ts'
import type { PasswordPolicy } from '../passwords/policy.ts'
import type { PasswordContext } from '../passwords/rules.ts'

/**
 * Adds to an INVALID_INPUT that the schema found what the policy finds wrong with the password, so that one answer names
 * every weak or wrong field. Other errors come back as they are.
 */
export type CompleteRegistrationErrors = (error: Error, body: unknown) => Promise<Error>

/** No name or address is longer, and every word of them costs the estimator time. */
const maxContext = 320

const textOf = (body: object, name: string): string | undefined => {
  const value: unknown = Reflect.get(body, name)
  return typeof value === 'string' ? value : undefined
}

function contextOf (body: object): PasswordContext {
  const [email, username, firstName, lastName] = ['email', 'username', 'firstName', 'lastName'].map(name => {
    const text = textOf(body, name)
    return text !== undefined && text.length <= maxContext ? text : undefined
  })
  return { email, username, firstName, lastName }
}

export function createCompleteRegistrationErrors ({ passwords }: { passwords: PasswordPolicy }): CompleteRegistrationErrors {
  return async (error, body) => {
    if (!(error instanceof CodedError) || error.errors === undefined || typeof body !== 'object' || body === null) return error
    const password = textOf(body, 'password')
    if (password === undefined || error.errors.some(({ path }) => path === '/body/password')) return error
    return invalidInput([...error.errors, ...await passwords.check(password, '/body/password', contextOf(body))])
  }
}
