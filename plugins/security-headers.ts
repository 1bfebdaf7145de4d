import helmet from '@fastify/helmet'
import { Type, type Static } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { parseOptions } from '../src/options.ts'

/** Options of the security headers plugin. */
export const SecurityHeadersOptionsSchema = Type.Object({
  /** The scope is reached by https only: browsers are told to insist on it (RFC 6797). */
  https: Type.Boolean({ default: false }),
  hstsMaxAgeSeconds: Type.Integer({ minimum: 0, default: 31_536_000 })
}, { additionalProperties: false })

export type SecurityHeadersOptions = Partial<Static<typeof SecurityHeadersOptionsSchema>>

/**
 * Header fields that keep a browser from making more of an answer than data (OWASP REST Security Cheat Sheet): nothing
 * loads, nothing frames it, no type is guessed, no referrer leaves. A route that answers a page sets a
 * Content-Security-Policy of its own, which then stands alone.
 */
async function securityHeaders (app: FastifyInstance, options: SecurityHeadersOptions): Promise<void> {
  const { https, hstsMaxAgeSeconds } = parseOptions('security-headers', SecurityHeadersOptionsSchema, options)
  await app.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
    referrerPolicy: { policy: 'no-referrer' },
    xFrameOptions: { action: 'deny' },
    // The domain around us may have hosts that do not speak https, so they are not ours to bind.
    strictTransportSecurity: https ? { maxAge: hstsMaxAgeSeconds, includeSubDomains: false } : false
  })
}

export const securityHeadersPlugin = fp(securityHeaders, { name: 'auth-serve-security-headers', fastify: '5.x' })
export default securityHeadersPlugin
