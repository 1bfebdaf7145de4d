import { CodedError, invalidInput } from '../errors.ts'
import type { PasswordPolicy } from '../passwords/policy.ts'

/**
 * Adds to an INVALID_INPUT that the schema found what the policy finds wrong with the password, so that one answer names
 * every weak or wrong field. Other errors come back as they are.
 */
export type CompleteRegistrationErrors = (error: Error, body: unknown) => Error

const textOf = (body: object, name: string): string | undefined => {
  const value: unknown = Reflect.get(body, name)
  return typeof value === 'string' ? value : undefined
}

export function createCompleteRegistrationErrors ({ passwords }: { passwords: PasswordPolicy }): CompleteRegistrationErrors {
  return (error, body) => {
    if (!(error instanceof CodedError) || error.errors === undefined || typeof body !== 'object' || body === null) return error
    const password = textOf(body, 'password')
    if (password === undefined || error.errors.some(({ path }) => path === '/body/password')) return error
    const context = { email: textOf(body, 'email'), username: textOf(body, 'username') }
    return invalidInput([...error.errors, ...passwords.check(password, '/body/password', context)])
  }
}
