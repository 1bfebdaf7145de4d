import type { LightMyRequestResponse } from 'fastify'
import type { TestApp } from './app.ts'

export const goodPassword = 'the engine weaves algebra'

let count = 0
/** An address that no other test uses. */
export const newEmail = (): string => `person-${process.pid}-${++count}@example.com`

export async function post (api: TestApp, url: string, payload: object | string, headers: Record<string, string> = {}): Promise<LightMyRequestResponse> {
  return await api.request({ method: 'POST', url: `/api/v1${url}`, payload, headers: { 'content-type': 'application/json', ...headers } })
}

export interface Person { id: string, email: string, accessToken: string, refreshToken: string, sessionId: string, deviceToken: string, authorization: { authorization: string } }

/** Registers somebody and signs them in. */
export async function signUp (api: TestApp, extra: object = {}): Promise<Person> {
  const email = newEmail()
  const registered = await post(api, '/auth/register', { email, password: goodPassword, ...extra })
  if (registered.statusCode !== 201) throw new Error(registered.body)
  return await signIn(api, email)
}

export async function signIn (api: TestApp, email: string, password = goodPassword): Promise<Person> {
  const response = await post(api, '/auth/login', { email, password })
  if (response.statusCode !== 200) throw new Error(response.body)
  const { accessToken, refreshToken, sessionId, deviceToken, user } = response.json()
  return { id: user.id, email, accessToken, refreshToken, sessionId, deviceToken, authorization: { authorization: `Bearer ${accessToken}` } }
}

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

export async function readMe (api: TestApp, accessToken: string): Promise<LightMyRequestResponse> {
  return await api.request({ method: 'GET', url: '/api/v1/users/me', headers: bearer(accessToken) })
}

export async function refresh (api: TestApp, refreshToken: string): Promise<LightMyRequestResponse> {
  return await post(api, '/auth/refresh', { refreshToken })
}
