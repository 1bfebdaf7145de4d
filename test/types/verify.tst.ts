import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import { describe, expect, test } from 'tstyche'
import { CodedError, verifyPlugin, type ErrorCode, type RequireRole, type VerifiedAuth, type Verifier, type VerifyHook, type VerifyOptions } from '../../plugins/verify.ts'

declare const app: FastifyInstance

describe('what an app that verifies sees', () => {
  test('options: an issuer, an audience, and names and numbers as it likes', () => {
    expect(app.register).type.toBeCallableWith(verifyPlugin, { issuer: 'i', audience: 'a', jwksUrl: 'https://i/jwks.json' })
    expect<VerifyOptions>().type.toBeAssignableFrom({ issuer: 'i', audience: 'a', keys: { keys: [{ kty: 'EC' }] }, revocations: { url: 'https://i/r' }, jwks: { cooldownMs: 1 }, decorators: { auth: 'who' } })
    expect<VerifyOptions>().type.toBeAssignableFrom({ issuer: 'i', audience: 'a', jwksUrl: 'https://i', revocations: { database: { url: 'postgres://db/x' } } })
    expect<VerifyOptions>().type.not.toBeAssignableFrom({ audience: 'a' })
    expect<VerifyOptions>().type.not.toBeAssignableFrom({ issuer: 'i', audience: 'a', revocations: { database: {} } })
  })

  test('request.auth is typed, null before authenticate', () => {
    app.get('/', { onRequest: app.authenticate }, async request => {
      expect(request.auth).type.toBe<VerifiedAuth | null>()
      if (request.auth === null) return
      expect(request.auth.userId).type.toBe<string>()
      expect(request.auth.roles).type.toBe<string[]>()
      expect(request.auth.claims.exp).type.toBe<number>()
    })
  })

  test('requireRole wants at least one role, by name', () => {
    expect(app.requireRole).type.toBe<RequireRole>()
    expect(app.requireRole('admin')).type.toBe<VerifyHook>()
    expect(app.requireRole).type.toBeCallableWith('admin', 'editor')
    expect(app.requireRole).type.not.toBeCallableWith()
    expect(app.requireRole).type.not.toBeCallableWith(1)
    expect(app.requireRole).type.not.toBeCallableWith(['admin'])
  })

  test('hooks fit routes with types of their own', () => {
    const typed = app.withTypeProvider<TypeBoxTypeProvider>()
    expect(typed.get).type.toBeCallableWith('/:id', { schema: { params: Type.Object({ id: Type.String() }) }, onRequest: typed.authenticate, preHandler: [typed.requireRole('admin')] }, async () => '')
    app.get<{ Params: { id: string } }>('/:id', { onRequest: app.authenticate, preHandler: app.requireRole('admin') }, async request => request.params.id)
    expect(app.addHook).type.toBeCallableWith('preHandler', app.authenticate)
  })

  test('the verifier for everything that is no route', () => {
    expect(app.authServeVerifier).type.toBe<Verifier>()
    expect(app.authServeVerifier.verify('token')).type.toBe<Promise<VerifiedAuth>>()
    const thrown: unknown = undefined
    if (thrown instanceof CodedError) expect(thrown.code).type.toBe<ErrorCode>()
  })
})
