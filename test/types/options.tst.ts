import type { FastifyInstance } from 'fastify'
import type { Transporter } from 'nodemailer'
import { describe, expect, test } from 'tstyche'
import type { Auth } from '../../plugins/auth.ts'
import type { AuthServeDb } from '../../plugins/db.ts'
import { authServe, type AuthServeOptions, type EventHookCall, type HookEvent, type MailValues, type OutgoingMail, type RenderedMail, type UserHookCall } from '../../src/index.ts'
import type { User } from '../../src/schemas/user.ts'

declare const app: FastifyInstance

describe('what a host sees', () => {
  test('the bundle takes a database, secrets and an issuer; the rest has defaults', () => {
    expect(app.register).type.toBeCallableWith(authServe, { database: { url: 'postgres://db/x' }, secrets: ['s'], jwt: { issuer: 'i' } })
    expect<Pick<AuthServeOptions, 'secrets'>>().type.toBe<{ secrets: string[] }>()
    expect<AuthServeOptions>().type.not.toBeAssignableFrom<{ secrets: string[] }>()
  })

  test('mails go out by nodemailer or anything like it, in words of the host', () => {
    type Mail = NonNullable<AuthServeOptions['mail']>
    expect<Mail>().type.toBeAssignableFrom<{ transport: Transporter }>()
    expect<Mail>().type.toBeAssignableFrom<{ transport: { sendMail(mail: OutgoingMail): Promise<void> } }>()
    expect<Mail>().type.not.toBeAssignableFrom<{ transport: { send(mail: OutgoingMail): Promise<void> } }>()
    expect<Mail>().type.toBeAssignableFrom<{ templates: { 'reset-password': (values: { link: string, lifeSeconds: number }) => RenderedMail } }>()
    expect<Mail>().type.not.toBeAssignableFrom<{ templates: { 'reset-password': () => string } }>()
    expect<MailValues['security-notice']['at']>().type.toBe<Date>()
  })

  test('hooks are told of the person as the API shows them, and change nothing of it', () => {
    type Hooks = NonNullable<AuthServeOptions['hooks']>
    expect<Hooks>().type.toBeAssignableFrom<{ beforeUserCreated: (call: UserHookCall) => Promise<void>, onEvent: (call: EventHookCall) => void, timeoutMs: number }>()
    expect<Hooks>().type.not.toBeAssignableFrom<{ onNothing: () => void }>()
    expect<Hooks>().type.not.toBeAssignableFrom<{ onEvent: (call: UserHookCall) => void }>()
    expect<UserHookCall['user']>().type.toBe<Readonly<User>>()
    expect<UserHookCall['signal']>().type.toBe<AbortSignal>()
    expect<HookEvent['actorId']>().type.toBe<string | null>()
  })

  test('decorators have named types', () => {
    expect(app.authServeAuth).type.toBe<Auth>()
    expect(app.authServeDb).type.toBe<AuthServeDb>()
    expect(app.authServe.readProfile).type.toBeCallableWith('id')
  })

  test('a user is what its schema says', () => {
    expect<User['username']>().type.toBe<string | null>()
    expect<User['roles']>().type.toBe<string[]>()
  })
})
