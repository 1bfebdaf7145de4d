import { Type, type Static } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { Breakers } from '../src/breakers/breakers.ts'
import { parseOptions } from '../src/options.ts'
import { breachDefaults, type BreachCheckSurroundings } from '../src/passwords/breach-check.ts'
import { defaultQueue, defaultThreadPoolSize } from '../src/passwords/hasher.ts'
import { createPasswords, type Passwords } from '../src/passwords/passwords.ts'
import { owaspParameters, parameterBounds } from '../src/passwords/phc.ts'
import { policyDefaults } from '../src/passwords/policy.ts'

/** Options of the passwords plugin. */
export const PasswordsOptionsSchema = Type.Object({
  decorator: Type.String({ default: 'authServePasswords', minLength: 1 }),
  /** `argon2` (the reference), `node-rs` (@node-rs/argon2, faster) or `auto`: the faster where it loads. */
  engine: Type.Union([Type.Literal('auto'), Type.Literal('argon2'), Type.Literal('node-rs')], { default: 'auto' }),
  /** Memory of one argon2id hash in KiB; the default here and below is OWASP's. */
  memoryKib: Type.Integer({ ...parameterBounds.memoryKib, default: owaspParameters.memoryKib }),
  /** Passes of argon2id over that memory. */
  timeCost: Type.Integer({ ...parameterBounds.timeCost, default: owaspParameters.timeCost }),
  /** Lanes of argon2id. */
  parallelism: Type.Integer({ ...parameterBounds.parallelism, default: owaspParameters.parallelism }),
  /** Hashes computed at once; by default one per core, but below `threadPoolSize`. */
  concurrency: Type.Optional(Type.Integer({ minimum: 1, maximum: 1023 })),
  /** Hashes that may wait; beyond it callers get OVERLOADED. */
  queue: Type.Integer({ minimum: 0, maximum: 10000, default: defaultQueue }),
  /** Threads of the libuv pool: UV_THREADPOOL_SIZE where the process sets it. */
  threadPoolSize: Type.Integer({ minimum: 2, maximum: 1024, default: defaultThreadPoolSize }),
  /** Fewest code points of a new password (ASVS 6.2.1). */
  minLength: Type.Integer({ minimum: 8, maximum: 1024, default: policyDefaults.minLength }),
  /** Most code points of a new password (ASVS 6.2.9). */
  maxLength: Type.Integer({ minimum: 64, maximum: 1024, default: policyDefaults.maxLength }),
  /** Least strength of a new password, 0..4 as zxcvbn scores it. */
  minStrength: Type.Integer({ minimum: 0, maximum: 4, default: policyDefaults.minStrength }),
  /** Kinds of characters that a new password must hold; none by default (ASVS 6.2.5). */
  require: Type.Optional(Type.Array(Type.Union([Type.Literal('lower'), Type.Literal('upper'), Type.Literal('digit'), Type.Literal('symbol')]))),
  /** Names of the service and of what belongs to it, such as the product: no new password may contain one. */
  serviceNames: Type.Array(Type.String({ minLength: 4 }), { default: policyDefaults.serviceNames }),
  /** Range API that knows breached passwords, or a folder of its ranges as `file:` URL. */
  breachUrl: Type.Optional(Type.String({ pattern: '^(https?|file)://[^\\s?#@]+$' })),
  /** Milliseconds that a look-up of a breached password may take. */
  breachTimeoutMs: Type.Integer({ minimum: 50, maximum: 30_000, default: breachDefaults.breachTimeoutMs }),
  /** Bytes that one range of hashes may have. */
  breachMaxRangeBytes: Type.Integer({ minimum: 1024, default: breachDefaults.breachMaxRangeBytes }),
  /** Ranges that are remembered. */
  breachCachedRanges: Type.Integer({ minimum: 1, maximum: 10_000, default: breachDefaults.breachCachedRanges }),
  /** Seconds for which a range is remembered. */
  breachCacheSeconds: Type.Integer({ minimum: 1, default: breachDefaults.breachCacheSeconds }),
  /** Name under which the breaker plugin decorated the instance; without it there, look-ups go unguarded. */
  breakersDecorator: Type.String({ default: 'authServeBreakers' }),
  /** Name of the circuit breaker of these look-ups. */
  breachBreaker: Type.String({ default: 'breach-check' })
}, { additionalProperties: false })

export type PasswordsOptions = Partial<Static<typeof PasswordsOptionsSchema>>

/** What the plugin decorates. */
export type AuthServePasswords = Passwords

declare module 'fastify' {
  interface FastifyInstance { authServePasswords: AuthServePasswords }
}

function surroundingsOf (app: FastifyInstance, { breachUrl, breakersDecorator, breachBreaker }: Static<typeof PasswordsOptionsSchema>): BreachCheckSurroundings {
  const guarded = breachUrl !== undefined && app.hasDecorator(breakersDecorator)
  return {
    // A look-up has a bound of its own, which ends it, too.
    guard: guarded ? app.getDecorator<Breakers>(breakersDecorator).policy(breachBreaker, { timeoutMs: 0 }) : undefined,
    onUnasked: reason => app.log.warn({ reason }, 'a new password was accepted without asking whether it was breached')
  }
}

/**
 * Password hashing with argon2id and the policy for new passwords, decorated as `Passwords`.
 *
 * @throws when the demanded engine does not load or options contradict each other, so that the start fails.
 */
async function passwords (app: FastifyInstance, options: PasswordsOptions): Promise<void> {
  const settings = parseOptions('passwords', PasswordsOptionsSchema, options)
  const made = await createPasswords(settings, surroundingsOf(app, settings))
  app.decorate(settings.decorator, made)
  app.addHook('onClose', made.close)
  const { concurrency, queue } = made.stats()
  app.log.info(`passwords are hashed by ${made.engineName} (argon2id, m=${settings.memoryKib}, t=${settings.timeCost}, p=${settings.parallelism}), ${concurrency} at once, ${queue} waiting`)
}

export const passwordsPlugin = fp(passwords, { name: 'auth-serve-passwords', fastify: '5.x' })
export default passwordsPlugin
