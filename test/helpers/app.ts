import Fastify, { type FastifyInstance, type InjectOptions, type LightMyRequestResponse } from 'fastify'
import type { Test } from 'tap'
import { authServe, type AuthServeOptions } from '../../src/index.ts'
import { serverOptions } from '../../src/server-options.ts'
import type { DatabaseLocation } from '../../src/db/client.ts'
import { createTestDatabase } from './database.ts'
import { createLogCapture, type LogCapture } from './log-capture.ts'
import { createResponseCheck } from './response-check.ts'

export const testSecret = 'a-secret-of-the-test-suite-that-is-long-enough'

/** Hashes as cheap as they get: the tests that care for the cost set it. */
export const cheapPasswords = { memoryKib: 1024, timeCost: 1, parallelism: 1 } as const

export interface TestApp {
  app: FastifyInstance
  /** The inside of the service: what its plugins decorate. */
  scope: FastifyInstance
  database: DatabaseLocation
  log: LogCapture
  /** Sends a request and checks the answer against the OpenAPI document. */
  request(options: InjectOptions): Promise<LightMyRequestResponse>
}

export type TestAppOptions = Partial<Omit<AuthServeOptions, 'database'>> & { database?: Partial<AuthServeOptions['database']>, bodyLimit?: number, trustProxy?: boolean | string[] }

/** The service as it stands alone, on a database of its own or on this one. */
export async function createTestApp (t: Test, { database, bodyLimit, trustProxy, ...options }: TestAppOptions = {}, shared?: DatabaseLocation): Promise<TestApp> {
  const location = shared ?? await createTestDatabase(t)
  const log = createLogCapture()
  const app: FastifyInstance = Fastify({ ...serverOptions({ bodyLimit, trustProxy }), loggerInstance: log.logger })
  const scopes: FastifyInstance[] = []
  app.addHook('onRegister', scope => { scopes.push(scope) })
  await app.register(authServe, {
    apiPrefix: '/api/v1',
    secrets: [testSecret],
    jwt: { issuer: 'https://issuer.test' },
    passwords: cheapPasswords,
    rateLimit: { enabled: false },
    // Tests that count statements want none of its own accord.
    audit: { sealSeconds: 3600 },
    ...options,
    database: { ...location, poolMax: 5, ...database }
  })
  await app.ready()
  t.teardown(async () => { await app.close() })
  const check = await createResponseCheck(app)
  return {
    app,
    scope: scopes.find(scope => scope.hasDecorator('authServe')) ?? app,
    database: location,
    log,
    async request (inject) {
      const response = await app.inject(inject)
      check(t, inject, response)
      return response
    }
  }
}
