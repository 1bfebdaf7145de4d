import { Type, type Static } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { createBreakers, type Breakers } from '../src/breakers/breakers.ts'
import { BreakerPolicySchema, type BreakerPolicyOptions } from '../src/breakers/policy.ts'
import { parseOptions } from '../src/options.ts'

/** Options of the breaker plugin. */
export const BreakerOptionsSchema = Type.Object({
  decorator: Type.String({ default: 'authServeBreakers' }),
  /** Failures in a row that open a breaker. */
  threshold: BreakerPolicySchema.properties.threshold,
  /** Milliseconds after which an open breaker lets one call through to find out. */
  resetMs: BreakerPolicySchema.properties.resetMs,
  /** Single breakers by name; outranks the policy that code gives them. */
  policies: Type.Record(Type.String(), Type.Unsafe<BreakerPolicyOptions>(Type.Object({})), { default: {} })
}, { additionalProperties: false })

export type BreakerOptions = Partial<Static<typeof BreakerOptionsSchema>>

declare module 'fastify' {
  interface FastifyInstance { authServeBreakers: Breakers }
}

/**
 * Circuit breakers by name, for the dependencies of the service and those of a host: `protect(name, fn)` refuses calls
 * at once while what they need is away. Every change of state is logged with `breaker`, `from` and `to`; they hold
 * nothing that would have to be closed.
 *
 * @throws TypeError for options or policies that are not valid.
 */
async function breaker (app: FastifyInstance, options: BreakerOptions): Promise<void> {
  const { decorator, policies, ...defaults } = parseOptions('breaker', BreakerOptionsSchema, options)
  app.decorate(decorator, createBreakers({
    defaults,
    overrides: policies,
    onTransition (transition) {
      const level = transition.to === 'open' ? 'warn' : 'info'
      app.log[level]({ ...transition }, 'a circuit breaker changed its state')
    }
  }))
}

export const breakerPlugin = fp(breaker, { name: 'auth-serve-breaker', fastify: '5.x' })
export default breakerPlugin
