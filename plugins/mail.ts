import { Type, type Static } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { Breakers, Guard } from '../src/breakers/breakers.ts'
import { createDeliver, type Delivery } from '../src/mail/deliver.ts'
import { judgeMailError } from '../src/mail/failure.ts'
import { createFileTransport } from '../src/mail/file-transport.ts'
import { en } from '../src/mail/language/en.ts'
import { createOrderMail, type OrderMail } from '../src/mail/order-mail.ts'
import { hostOf, parseSender, type MailTransport } from '../src/mail/outgoing-mail.ts'
import { createResolveOrder } from '../src/mail/resolve-order.ts'
import { createTemplates } from '../src/mail/templates.ts'
import { startMailWorker, type MailWorker } from '../src/mail/worker.ts'
import type { LeasedMail } from '../src/db/outbox.ts'
import { parseOptions } from '../src/options.ts'
import type { Auth } from './auth.ts'
import type { AuthServeDb } from './db.ts'

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
  /** Milliseconds between two looks for mails that others ordered, or that are due again. */
  pollMs: Type.Integer({ minimum: 10, maximum: 60_000, default: 1000 }),
  /** Milliseconds that sending one mail may take. */
  sendTimeoutMs: Type.Integer({ minimum: 100, maximum: 600_000, default: 60_000 }),
  /** Milliseconds that a stop waits for mails that are being sent. */
  closeTimeoutMs: Type.Integer({ minimum: 0, default: 3000 }),
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

/** Seconds of a lease beyond the time for sending: what the database may take before and after. */
const leaseMarginSeconds = 60

/** The breaker around the transport, where the breaker plugin is registered. */
function guardOf (app: FastifyInstance, decorator: string): Guard {
  if (!app.hasDecorator(decorator)) return async call => await call({ signal: new AbortController().signal })
  // Sending has a bound of its own.
  return app.getDecorator<Breakers>(decorator).policy('mail', { timeoutMs: 0, judge: judgeMailError })
}

function transportOf ({ directory }: Static<typeof MailOptionsSchema>): MailTransport | undefined {
  return directory === undefined ? undefined : createFileTransport(directory)
}

/** Tells operators of mails that did not go out, once each; never to whom, or what they say. */
function logDelivery (app: FastifyInstance, { id, template, attempts }: LeasedMail, delivery: Delivery): void {
  const details = { mailId: id, template, attempts }
  if (delivery.outcome === 'failed') app.log.error({ ...details, reason: delivery.error }, 'a mail could not be sent and is a dead letter')
  else if (delivery.outcome === 'retried') app.log.warn({ ...details, reason: delivery.error }, 'a mail was not sent; trying again')
  else app.log.debug({ ...details, outcome: delivery.outcome }, 'a mail was dealt with')
}

/** Mails through a transactional outbox: ordered with the change that they tell of, sent in the background. */
async function mail (app: FastifyInstance, options: MailOptions): Promise<void> {
  const settings = parseOptions('mail', MailOptionsSchema, options)
  const database = app.getDecorator<AuthServeDb>(settings.dbDecorator)
  const { secrets } = app.getDecorator<Auth>(settings.authDecorator)
  const from = parseSender(settings.from)
  let nudge = (): void => {}
  app.decorate(settings.decorator, {
    order: createOrderMail({ secrets, cooldownSeconds: settings.cooldownSeconds, onOrdered: () => { nudge() } })
  } satisfies AuthServeMail)

  const transport = transportOf(settings)
  if (transport === undefined) {
    app.log.warn('no mail is sent: there is neither smtpUrl nor directory nor transport; what is ordered waits in the outbox')
    return
  }
  const { verificationTtlSeconds } = settings
  const deliver = createDeliver({
    outbox: database.outbox,
    resolve: createResolveOrder({
      database,
      secrets,
      ttls: {
        'verify-email': verificationTtlSeconds,
        'change-email': verificationTtlSeconds,
        'reset-password': settings.resetTtlSeconds,
        'undo-email-change': settings.undoTtlSeconds,
        invitation: settings.invitationTtlSeconds
      },
      linkBase: settings.linkBase,
      service: from.name === '' ? hostOf(from) : from.name
    }),
    transport,
    guard: guardOf(app, settings.breakersDecorator),
    from,
    templates: createTemplates(en),
    hidden: [],
    sendTimeoutMs: settings.sendTimeoutMs,
    retrySeconds: settings.retrySeconds
  })
  let worker: MailWorker | undefined
  app.addHook('onReady', async () => {
    worker = startMailWorker({
      outbox: database.outbox,
      deliver,
      concurrency: settings.concurrency,
      pollMs: settings.pollMs,
      leaseSeconds: settings.sendTimeoutMs / 1000 + leaseMarginSeconds,
      isSchemaReady: database.isSchemaReady,
      onDelivery: (order, delivery) => { logDelivery(app, order, delivery) },
      log: app.log
    })
    nudge = worker.nudge
  })
  app.addHook('onClose', async () => {
    await worker?.close(settings.closeTimeoutMs)
    transport.close()
  })
}

export const mailPlugin = fp(mail, { name: 'auth-serve-mail', fastify: '5.x', dependencies: ['auth-serve-db', 'auth-serve-auth'] })
export default mailPlugin
