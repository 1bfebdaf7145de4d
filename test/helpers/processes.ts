import type { TokenPair } from '../../src/schemas/token.ts'
import { goodPassword, newEmail } from './people.ts'
import type { Service } from './service.ts'

/** What a process answered, whichever it was: the tokens, or the code of the refusal. */
export interface Answer extends TokenPair { status: number, code?: string }

/** Sends a request to a process; with a body it is a POST. */
export async function send (service: Service, path: string, { body, token }: { body?: object, token?: string } = {}): Promise<Answer> {
  const response = await fetch(`${service.url}/api/v1${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { ...body !== undefined && { 'content-type': 'application/json' }, ...token !== undefined && { authorization: `Bearer ${token}` } },
    ...body !== undefined && { body: JSON.stringify(body) }
  })
  const text = await response.text()
  return { ...JSON.parse(text === '' ? '{}' : text), status: response.status }
}

export const refresh = async (service: Service, refreshToken: string): Promise<Answer> => await send(service, '/auth/refresh', { body: { refreshToken } })
export const login = async (service: Service, email: string): Promise<Answer> => await send(service, '/auth/login', { body: { email, password: goodPassword } })

/** How a process takes an access token, asked by a route that needs no database: `live`, or the code of its refusal. */
export async function standingOf (service: Service, token: string): Promise<string> {
  const { code } = await send(service, '/admin/breakers', { token })
  return code === undefined || code === 'FORBIDDEN' ? 'live' : code
}

/** Registers somebody and signs them in. */
export async function signUp (service: Service): Promise<Answer & { email: string }> {
  const email = newEmail()
  await send(service, '/auth/register', { body: { email, password: goodPassword } })
  return { ...await login(service, email), email }
}

/** Ends a process, by default as an operator does. */
export async function stop (service: Service, signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
  service.child.kill(signal)
  await service.exited
}
