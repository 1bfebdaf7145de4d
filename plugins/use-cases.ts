import { Type, type Static } from '@sinclair/typebox'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { createUserAdmin, type UserAdmin } from '../src/admin/user-admin.ts'
import { createChangePassword, type ChangePassword } from '../src/accounts/change-password.ts'
import { createDeleteAccount, type DeleteAccount } from '../src/accounts/delete-account.ts'
import { createReadProfile, createUpdateProfile, type ReadProfile, type UpdateProfile } from '../src/accounts/profile.ts'
import { createRegistration, type Registration } from '../src/accounts/registration.ts'
import { createCompleteRegistrationErrors, type CompleteRegistrationErrors } from '../src/accounts/registration-errors.ts'
import { createAudit, type AuditEvent, type EventHooks, type RequestContext } from '../src/audit/audit.ts'
import { createAuditTrail, type AuditTrail } from '../src/audit/trail.ts'
import type { Breakers } from '../src/breakers/breakers.ts'
import { createListKeys } from '../src/keys/list-keys.ts'
import { createRevokeKey, type RevokeKey } from '../src/keys/revoke-key.ts'
import { createRotateKeys, type RotateKeys } from '../src/keys/rotate-keys.ts'
import { createOutboxAdmin, type OutboxAdmin } from '../src/mail/outbox-admin.ts'
import { parseOptions } from '../src/options.ts'
import { createPagedList, type PagedList } from '../src/pagination/paged-list.ts'
import { storedAddress } from '../src/rate-limit/client-address.ts'
import { createRecovery, type Recovery } from '../src/recovery/recovery.ts'
import { requestIdOf } from '../src/request-id.ts'
import type { BreakerState } from '../src/schemas/breaker.ts'
import type { Key } from '../src/schemas/key.ts'
import { createCheckCredentials } from '../src/sessions/check-credentials.ts'
import { createConfirmPassword } from '../src/sessions/confirm-password.ts'
import { createEndSession, type EndSession } from '../src/sessions/end-session.ts'
import { createIntrospect, type Introspect } from '../src/sessions/introspect.ts'
import { createIssueTokens } from '../src/sessions/issue-tokens.ts'
import { createKnownDevices } from '../src/sessions/known-devices.ts'
import { createListSessions, type ListSessions } from '../src/sessions/list-sessions.ts'
import { createLogin, type Login } from '../src/sessions/login.ts'
import { createLoginLock } from '../src/sessions/login-lock.ts'
import { loginOptions } from '../src/sessions/login-options.ts'
import { createLogout, createLogoutAll, createLogoutByRefreshToken, type Logout, type LogoutAll, type LogoutByRefreshToken } from '../src/sessions/logout.ts'
import { createReauthenticate, type Reauthenticate } from '../src/sessions/reauthenticate.ts'
import { createRecordFailure } from '../src/sessions/record-failure.ts'
import { createRefresh, type Refresh } from '../src/sessions/refresh.ts'
import type { Auth } from './auth.ts'
import type { AuthServeDb } from './db.ts'
import type { AuthServeMail } from './mail.ts'
import type { AuthServePasswords } from './passwords.ts'

/** Options of the use-cases plugin. */
export const UseCasesOptionsSchema = Type.Object({
  decorator: Type.String({ default: 'authServe' }),
  dbDecorator: Type.String({ default: 'authServeDb' }),
  passwordsDecorator: Type.String({ default: 'authServePasswords' }),
  authDecorator: Type.String({ default: 'authServeAuth' }),
  /** Name under which the mail plugin decorated the instance. */
  mailDecorator: Type.String({ default: 'authServeMail' }),
  /** Name under which the breaker plugin decorated the instance; without it there, the list of breakers is empty. */
  breakersDecorator: Type.String({ default: 'authServeBreakers' }),
  accessTtlSeconds: Type.Integer({ minimum: 5, default: 900 }),
  /** Seconds after which an unused refresh token expires. */
  idleTtlSeconds: Type.Integer({ minimum: 5, default: 1_209_600 }),
  /** Seconds after which a session ends whatever happens. */
  absoluteTtlSeconds: Type.Integer({ minimum: 5, default: 2_592_000 }),
  /** Seconds after its rotation in which a refresh token may be used again. */
  refreshGraceSeconds: Type.Integer({ minimum: 0, maximum: 300, default: 10 }),
  /** Live sessions of one person at once; one more ends the oldest. No bound by default. */
  maxPerUser: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
  ...loginOptions,
  /** Sign nobody in before they have confirmed their e-mail address; implied by private registration. */
  requireEmailVerification: Type.Boolean({ default: false }),
  /** Whether registration says that a name is taken, or answers always alike. */
  registrationPrivacy: Type.Union([Type.Literal('public'), Type.Literal('private')], { default: 'public' }),
  /** Who is invited to be the first administrator. */
  adminEmail: Type.Optional(Type.String({ minLength: 3 })),
  /** Told of each event of the audit trail once it is stored, for logs. */
  onEvent: Type.Optional(Type.Unsafe<OnEvent>(Type.Function([Type.Any(), Type.Any()], Type.Void()))),
  /** Hooks of the host. */
  hooks: Type.Optional(Type.Unsafe<EventHooks>(Type.Any()))
}, { additionalProperties: false })

type OnEvent = (event: AuditEvent, context: RequestContext) => void

export type UseCasesOptions = Partial<Static<typeof UseCasesOptionsSchema>>

/** What the service can do, ready for the routes; each is a rule of src/. */
export interface UseCases {
  registration: Registration
  completeRegistrationErrors: CompleteRegistrationErrors
  login: Login
  refresh: Refresh
  reauthenticate: Reauthenticate
  logout: Logout
  logoutByRefreshToken: LogoutByRefreshToken
  logoutAll: LogoutAll
  listSessions: ListSessions
  endSession: EndSession
  changePassword: ChangePassword
  deleteAccount: DeleteAccount
  recovery: Recovery
  readProfile: ReadProfile
  updateProfile: UpdateProfile
  introspect: Introspect
  listKeys: PagedList<Key>
  listBreakers: PagedList<BreakerState>
  rotateKeys: RotateKeys
  revokeKey: RevokeKey
  userAdmin: UserAdmin
  outbox: OutboxAdmin
  auditTrail: AuditTrail
  /** Who asks, for the audit trail. */
  contextOf(request: FastifyRequest): RequestContext
}

declare module 'fastify' {
  interface FastifyInstance { authServe: UseCases }
}

/** Longest user agent that is kept. */
const maxUserAgent = 256

/** Composes the rules of the domain from the concerns of the scope: database, passwords, keys. */
async function useCases (app: FastifyInstance, options: UseCasesOptions): Promise<void> {
  const settings = parseOptions('use-cases', UseCasesOptionsSchema, options)
  const database = app.getDecorator<AuthServeDb>(settings.dbDecorator)
  const passwords = app.getDecorator<AuthServePasswords>(settings.passwordsDecorator)
  const { clock, keyRing, secrets, pemKeys, keyPolicy, recognise, roles } = app.getDecorator<Auth>(settings.authDecorator)
  const { order: orderMail, nudge } = app.getDecorator<AuthServeMail>(settings.mailDecorator)
  const breakers = app.hasDecorator(settings.breakersDecorator) ? app.getDecorator<Breakers>(settings.breakersDecorator) : undefined
  const log: OnEvent = (event, context) => settings.onEvent?.(event, context)
  const audit = createAudit(database, log, settings.hooks)
  const loginLock = createLoginLock(database, secrets, {
    maxFailures: settings.loginMaxFailures,
    lockSeconds: settings.loginLockSeconds,
    forgetDays: settings.loginForgetDays,
    addressMaxFailures: settings.loginAddressMaxFailures,
    addressWindowSeconds: settings.loginAddressWindowSeconds
  })
  const knownDevices = createKnownDevices({ secrets, clock, ttlSeconds: settings.deviceTokenTtlSeconds })
  const recordFailure = createRecordFailure({ audit, orderMail })

  const { accessTtlSeconds, idleTtlSeconds, absoluteTtlSeconds } = settings
  const lives = { accessTtlSeconds, idleTtlSeconds, absoluteTtlSeconds }
  const issueTokens = createIssueTokens({ keyRing, secrets })
  const confirmPassword = createConfirmPassword({ database, passwords, loginLock, recordFailure })

  const privacy = settings.registrationPrivacy
  const emailVerification = privacy === 'private' ? 'hidden' : settings.requireEmailVerification ? 'required' : 'optional'
  const checkCredentials = createCheckCredentials({ database, audit, passwords, loginLock, knownDevices, recordFailure, emailVerification })
  const keys = { database, audit, policy: keyPolicy, pemKeys, onKeysChanged: keyRing.reload }
  const recovery = createRecovery({ database, audit, passwords, loginLock, confirmPassword, orderMail, adminEmail: settings.adminEmail })
  const listSessions = createListSessions({ database, secrets })

  app.decorate(settings.decorator, {
    registration: createRegistration({ database, audit, passwords, orderMail, loginLock, privacy }),
    completeRegistrationErrors: createCompleteRegistrationErrors({ passwords }),
    login: createLogin({ database, audit, passwords, keyRing, checkCredentials, knownDevices, orderMail, issueTokens, lives, maxPerUser: settings.maxPerUser }),
    refresh: createRefresh({
      ...lives,
      database,
      audit,
      keyRing,
      secrets,
      issueTokens,
      log,
      orderMail,
      onNoticeFailed: error => { app.log.warn({ err: error }, 'the notice of a reused refresh token could not be ordered') },
      graceSeconds: settings.refreshGraceSeconds
    }),
    reauthenticate: createReauthenticate({ audit, keyRing, confirmPassword, issueTokens, lives }),
    logout: createLogout({ audit, secrets }),
    logoutByRefreshToken: createLogoutByRefreshToken({ audit, secrets }),
    logoutAll: createLogoutAll({ audit, secrets }),
    listSessions,
    endSession: createEndSession({ audit }),
    changePassword: createChangePassword({ audit, passwords, confirmPassword, orderMail }),
    deleteAccount: createDeleteAccount({ audit, orderMail, loginLock }),
    recovery,
    readProfile: createReadProfile({ database }),
    updateProfile: createUpdateProfile({ audit }),
    introspect: createIntrospect(recognise),
    listKeys: createPagedList({ secrets, list: 'keys', read: createListKeys(keys), idOf: key => key.kid }),
    listBreakers: createPagedList({ secrets, list: 'breakers', read: async () => breakers?.list() ?? [], idOf: breaker => breaker.name }),
    rotateKeys: createRotateKeys(keys),
    revokeKey: createRevokeKey(keys),
    userAdmin: createUserAdmin({ database, secrets, audit, roles, loginLock, orderMail, recovery, listSessions }),
    outbox: createOutboxAdmin({ database, secrets, audit, onRetry: nudge }),
    auditTrail: createAuditTrail({ database, secrets }),
    contextOf: (request: FastifyRequest): RequestContext => ({
      requestId: requestIdOf(request.raw),
      ipAddress: storedAddress(request.ip),
      userAgent: request.headers['user-agent']?.slice(0, maxUserAgent) ?? null
    })
  } satisfies UseCases)
}

export const useCasesPlugin = fp(useCases, {
  name: 'auth-serve-use-cases',
  fastify: '5.x',
  dependencies: ['auth-serve-db', 'auth-serve-passwords', 'auth-serve-auth', 'auth-serve-mail']
})
export default useCasesPlugin
