import { Type } from '@sinclair/typebox'
import type { AuditOptions } from '../../plugins/audit.ts'
import type { AuthOptions } from '../../plugins/auth.ts'
import type { BreakerOptions } from '../../plugins/breaker.ts'
import type { CorsOptions } from '../../plugins/cors.ts'
import type { DbOptions } from '../../plugins/db.ts'
import type { HealthOptions } from '../../plugins/health.ts'
import type { InputOptions } from '../../plugins/input.ts'
import type { MailOptions } from '../../plugins/mail.ts'
import type { MaintenanceOptions } from '../../plugins/maintenance.ts'
import type { PasswordsOptions } from '../../plugins/passwords.ts'
import type { RateLimitOptions } from '../../plugins/rate-limit.ts'
import type { UseCasesOptions } from '../../plugins/use-cases.ts'
import type { WebhooksOptions } from '../../plugins/webhooks.ts'
import type { Breakers } from '../breakers/breakers.ts'
import type { Hooks } from '../hooks/options.ts'
import type { RevocationOptions } from '../revocation/options.ts'

/** Options of the whole service; each part is validated by the plugin that it goes to. */
export interface AuthServeOptions {
  /** Path of the API below the prefix of the registration; the service routes stay at the prefix itself. */
  apiPrefix?: string
  /** Where the service can be reached from outside, for the OpenAPI document. */
  publicUrl?: string
  /** At least 32 characters each, newest first: the first seals and signs, all are accepted. */
  secrets: string[]
  database: Omit<DbOptions, 'decorator' | 'breakersDecorator'>
  /** Origins that browsers may call from; none by default. */
  cors?: Omit<CorsOptions, 'openPaths'>
  rateLimit?: Omit<RateLimitOptions, 'decorator' | 'onExceeded'>
  health?: Omit<HealthOptions, 'decorator'>
  /**
   * Circuit breakers of what the service depends on: options, or as `instance` what a breaker plugin of the host
   * decorated, so that `GET /admin/breakers` lists the host's, too. Two services that share one name their `database.breaker`
   * and `mail.breaker`, and where they share the database `webhooks.breaker`.
   */
  breakers?: Omit<BreakerOptions, 'decorator'> | { instance: Breakers }
  jwt: Pick<AuthOptions, 'issuer' | 'audience' | 'clientId' | 'algorithm' | 'keys' | 'keyActivationSeconds' | 'keyRotationDays' | 'tokenCacheSize'>
  /** Lives of sessions and tokens, in seconds. */
  sessions?: Pick<UseCasesOptions, 'accessTtlSeconds' | 'idleTtlSeconds' | 'absoluteTtlSeconds' | 'refreshGraceSeconds' | 'maxPerUser'> & Pick<AuthOptions, 'freshSessionSeconds' | 'useFlushMs' | 'maxTrackedUses'>
  /** How revocations reach this instance. */
  revocation?: RevocationOptions
  /** How often the audit trail is sealed, and for how long it is kept; `lifecycle` records starts and stops of the service in it. */
  audit?: Pick<AuditOptions, 'sealSeconds' | 'retentionDays' | 'lifecycle'>
  /** Background jobs. */
  maintenance?: Omit<MaintenanceOptions, 'decorator' | 'dbDecorator' | 'onEvent' | 'hooks'>
  /** Roles beside `user` and `admin`, and what each may do: `{ support: ['users:read', 'events:read'] }`. */
  roles?: AuthOptions['roles']
  /** Locks after failed logins, and devices that are known. */
  login?: { maxFailures?: number, lockSeconds?: number, forgetDays?: number, addressMaxFailures?: number, addressWindowSeconds?: number, deviceTokenTtlSeconds?: number }
  /** How people join. */
  accounts?: Pick<UseCasesOptions, 'requireEmailVerification' | 'registrationPrivacy' | 'adminEmail'>
  /** How mails go out, and where their links lead. */
  mail?: Omit<MailOptions, 'decorator' | 'dbDecorator' | 'authDecorator' | 'breakersDecorator'>
  /** How programs are told of events; administrators make the webhooks. */
  webhooks?: Omit<WebhooksOptions, 'decorator' | 'dbDecorator' | 'authDecorator' | 'breakersDecorator' | 'onEvent' | 'hooks'>
  /** Functions of the host that are called before a change is committed, and after. */
  hooks?: Hooks
  passwords?: Omit<PasswordsOptions, 'decorator'>
  input?: InputOptions
  /** Serve Swagger UI and the OpenAPI document. */
  docs?: boolean
  /** Measure, and serve the metrics for Prometheus. */
  metrics?: boolean
  /** Serve the pages that the links in the mails lead to unless `mail.linkBase` says otherwise. */
  pages?: boolean
  /** Answer unknown paths of the scope; false where the host does, as without a prefix it must. */
  notFound?: boolean
}

const part = Type.Record(Type.String(), Type.Unknown())

/** Holds the shape; what is inside each part is held by the plugin that it goes to. */
export const AuthServeOptionsSchema = Type.Object({
  prefix: Type.Optional(Type.String()),
  logLevel: Type.Optional(Type.String()),
  logSerializers: Type.Optional(Type.Unknown()),
  apiPrefix: Type.String({ pattern: '^(/[A-Za-z0-9._~-]+)*$', default: '' }),
  publicUrl: Type.Optional(Type.String({ pattern: '^https?://' })),
  secrets: Type.Array(Type.String({ minLength: 32 }), { minItems: 1 }),
  database: part,
  jwt: Type.Object({ issuer: Type.String({ minLength: 1 }) }),
  cors: Type.Optional(part),
  rateLimit: Type.Optional(part),
  health: Type.Optional(part),
  breakers: Type.Optional(part),
  sessions: Type.Optional(part),
  revocation: Type.Optional(part),
  audit: Type.Optional(part),
  maintenance: Type.Optional(part),
  roles: Type.Optional(part),
  login: Type.Optional(part),
  accounts: Type.Optional(part),
  mail: Type.Optional(part),
  webhooks: Type.Optional(part),
  hooks: Type.Optional(part),
  passwords: Type.Optional(part),
  input: Type.Optional(part),
  docs: Type.Boolean({ default: true }),
  metrics: Type.Boolean({ default: true }),
  pages: Type.Boolean({ default: true }),
  notFound: Type.Boolean({ default: true })
}, { additionalProperties: false })
