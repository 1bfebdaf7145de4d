import Fastify, { type FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import { verifyPlugin, type VerifyOptions } from '../../plugins/verify.ts'
import { createLogCapture, type LogCapture } from './log-capture.ts'
import { bearer } from './people.ts'

export const jwksPath = '/.well-known/jwks.json'
export const revocationsPath = '/.well-known/revocations.json'

/** What the service of the tests puts into its tokens. */
export const issuer = { issuer: 'https://issuer.test', audience: 'auth-serve' }

export interface VerifyingApp {
  app: FastifyInstance
  log: LogCapture
  /** Calls a route that wants a token. */
  call(token: string): Promise<{ status: number, code: string | undefined, headers: Record<string, unknown>, body: unknown }>
}

/** Another app, which has nothing of ours but the verifier. */
export async function createVerifyingApp (t: Test, options: Omit<VerifyOptions, 'issuer' | 'audience'>): Promise<VerifyingApp> {
  const log = createLogCapture()
  const app: FastifyInstance = Fastify({ loggerInstance: log.logger })
  t.teardown(async () => { await app.close() })
  await app.register(verifyPlugin, { ...issuer, ...options })
  app.get('/me', { onRequest: app.authenticate }, async ({ auth }) => ({ userId: auth?.userId, sessionId: auth?.sessionId, roles: auth?.roles }))
  await app.ready()
  return {
    app,
    log,
    async call (token) {
      const response = await app.inject({ url: '/me', headers: bearer(token) })
      const body: { code?: string } = response.json()
      return { status: response.statusCode, code: body.code, headers: response.headers, body }
    }
  }
}
