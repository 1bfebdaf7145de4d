import { Type, type Static } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { createOrderMail, type OrderMail } from '../src/mail/order-mail.ts'
import { parseOptions } from '../src/options.ts'
import type { Auth } from './auth.ts'

const Ttl = (fallback: number) => Type.Integer({ minimum: 1, default: fallback })

/** Options of the mail plugin. */
export const MailOptionsSchema = Type.Object({
  decorator: Type.String({ default: 'authServeMail' }),
  /** Name under which the db plugin decorated the instance. */
  dbDecorator: Type.String({ default: 'authServeDb' }),
  /** Name under which the auth plugin decorated the instance. */
  authDecorator: Type.String({ default: 'authServeAuth' }),
  /** Name under which the breaker plugin decorated the instance. */
  breakersDecorator: Type.String({ default: 'authServeBreakers' }),
  /** Server that takes the mails, such as `smtps://user:password@smtp.example.com:465`. */
  smtpUrl: Type.Optional(Type.String({ pattern: '^smtps?://' })),
  /** Folder that gets the mails as .eml files where there is neither a server nor a transport. */
  directory: Type.Optional(Type.String({ minLength: 1 })),
  /** Sender of the mails. */
  from: Type.String({ minLength: 3, default: 'auth-serve <no-reply@localhost>' }),
  /** Where the links lead: `<linkBase>/<template>#token=<token>`. */
  linkBase: Type.String({ pattern: '^https?://', default: 'http://localhost/pages' }),
  /** Seconds in which one address gets no second mail of a kind. */
  cooldownSeconds: Type.Integer({ minimum: 0, default: 60 }),
  /** Mails that are sent at once. */
  concurrency: Type.Integer({ minimum: 1, maximum: 100, default: 4 }),
  /** Seconds for which a mail is tried before it is a dead letter. */
  retrySeconds: Type.Integer({ minimum: 1, default: 172_800 }),
  /** Days for which sent mails and dead letters are listed. */
  retentionDays: Type.Integer({ minimum: 1, default: 30 }),
  /** Lives of the links in seconds. */
  verificationTtlSeconds: Ttl(86_400),
  resetTtlSeconds: Ttl(1800),
  undoTtlSeconds: Ttl(604_800),
  invitationTtlSeconds: Ttl(604_800)
}, { additionalProperties: false })

export type MailOptions = Partial<Static<typeof MailOptionsSchema>>

/** What the plugin decorates. */
export interface AuthServeMail {
  /** Orders a mail in the transaction that needs it. */
  order: OrderMail
}

declare module 'fastify' {
  interface FastifyInstance { authServeMail: AuthServeMail }
}

/** Mails through a transactional outbox: ordered with the change that they tell of, sent in the background. */
async function mail (app: FastifyInstance, options: MailOptions): Promise<void> {
  const settings = parseOptions('mail', MailOptionsSchema, options)
  const { secrets } = app.getDecorator<Auth>(settings.authDecorator)
  app.decorate(settings.decorator, { order: createOrderMail({ secrets, cooldownSeconds: settings.cooldownSeconds, onOrdered: () => {} }) } satisfies AuthServeMail)
}

export const mailPlugin = fp(mail, { name: 'auth-serve-mail', fastify: '5.x', dependencies: ['auth-serve-db', 'auth-serve-auth'] })
export default mailPlugin
