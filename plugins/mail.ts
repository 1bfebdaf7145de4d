import { Type, type Static } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { Breakers, Guard } from '../src/breakers/breakers.ts'
import type { LeasedMail } from '../src/db/outbox.ts'
import type { LeasingWorker } from '../src/leasing/worker.ts'
import { createDeliver, type Delivery } from '../src/mail/deliver.ts'
import { judgeMailError } from '../src/mail/failure.ts'
import { en } from '../src/mail/language/en.ts'
import type { MailTemplates } from '../src/mail/mail-values.ts'
import { createOrderMail, type OrderMail } from '../src/mail/order-mail.ts'
import { hostOf, parseSender, type HostTransport } from '../src/mail/outgoing-mail.ts'
import { createMailPurgeJobs } from '../src/mail/purge-jobs.ts'
import { createResolveOrder } from '../src/mail/resolve-order.ts'
import { createTemplates } from '../src/mail/templates.ts'
import { chooseTransport } from '../src/mail/transports.ts'
import { startMailWorker } from '../src/mail/worker.ts'
import type { MaintenanceJob } from '../src/maintenance/maintenance.ts'
import { parseOptions } from '../src/options.ts'
import type { Auth } from './auth.ts'
import type { AuthServeDb } from './db.ts'

const templates = createTemplates(en)
const Template = Type.Optional(Type.Function([Type.Any()], Type.Any()))
const Milliseconds = (fallback: number) => Type.Integer({ minimum: 100, maximum: 600_000, default: fallback })
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
  /** Name of the circuit breaker of the transport. */
  breaker: Type.String({ default: 'mail' }),
  /** What sends the mails in place of a server: anything with the `sendMail` of nodemailer. The host closes it. */
  transport: Type.Optional(Type.Unsafe<HostTransport>(Type.Any())),
  /** What puts mails in words, for those that are not to be as they are. */
  templates: Type.Unsafe<Partial<MailTemplates>>(Type.Object(Object.fromEntries(Object.keys(templates).map(name => [name, Template])), { additionalProperties: false, default: {} })),
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
  sendTimeoutMs: Milliseconds(30_000),
  /** Milliseconds until a connection to the SMTP server is there, until the server greets, and that it may be silent for. */
  connectionTimeoutMs: Milliseconds(10_000),
  greetingTimeoutMs: Milliseconds(10_000),
  socketTimeoutMs: Milliseconds(20_000),
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
  /** There may soon be something to send. */
  nudge(): void
  /** Whether this process sends mails: it has a way to. */
  sends: boolean
  /** Whether sending fails, and has not worked since. */
  isFailing(): boolean
  /** Tries so far in this process, by what became of them. */
  tries(): Record<Delivery['outcome'], number>
  /** For maintenance: what removes what was sent and what expired. */
  purgeJobs: MaintenanceJob[]
}

declare module 'fastify' {
  interface FastifyInstance { authServeMail: AuthServeMail }
}

/** Seconds of a lease beyond the time for sending: what the database may take before and after. */
const leaseMarginSeconds = 30

/** The breaker around the transport, where the breaker plugin is registered. */
function guardOf (app: FastifyInstance, { breakersDecorator, breaker }: Static<typeof MailOptionsSchema>): Guard {
  if (!app.hasDecorator(breakersDecorator)) return async call => await call({ signal: new AbortController().signal })
  // Sending has a bound of its own.
  return app.getDecorator<Breakers>(breakersDecorator).policy(breaker, { timeoutMs: 0, judge: judgeMailError })
}

/** Tells operators of mails that did not go out; never to whom, or what they say. */
function logDelivery ({ log }: FastifyInstance, { id, template, attempts }: LeasedMail, delivery: Delivery, known: boolean): void {
  const details = { mailId: id, template, attempts }
  if (delivery.outcome === 'failed') log.error({ ...details, reason: delivery.error }, 'a mail could not be sent and is a dead letter')
  else if (delivery.outcome === 'retried') log[known ? 'debug' : 'warn']({ ...details, reason: delivery.error }, 'a mail was not sent; trying again')
  else log.debug({ ...details, outcome: delivery.outcome }, 'a mail was dealt with')
}

/**
 * Mails through a transactional outbox: ordered with the change that they tell of, sent in the background. Throws TypeError
 * for options that are not valid.
 */
async function mail (app: FastifyInstance, options: MailOptions): Promise<void> {
  const settings = parseOptions('mail', MailOptionsSchema, options)
  if (settings.transport !== undefined && typeof settings.transport.sendMail !== 'function') throw new TypeError('auth-serve mail: invalid options: /transport: needs a function sendMail')
  const database = app.getDecorator<AuthServeDb>(settings.dbDecorator)
  const { secrets } = app.getDecorator<Auth>(settings.authDecorator)
  const from = parseSender(settings.from)
  const chosen = chooseTransport(settings)
  const tries = { sent: 0, discarded: 0, retried: 0, failed: 0, unavailable: 0 }
  let worker: LeasingWorker | undefined
  const nudge = (): void => { worker?.nudge() }
  app.decorate(settings.decorator, {
    order: createOrderMail({ secrets, cooldownSeconds: settings.cooldownSeconds, onOrdered: nudge }),
    nudge,
    sends: chosen !== undefined,
    isFailing: () => worker?.isFailing() ?? false,
    tries: () => tries,
    purgeJobs: createMailPurgeJobs(settings)
  } satisfies AuthServeMail)
  if (chosen === undefined) {
    app.log.warn('no mail is sent: there is neither smtpUrl nor directory nor transport; what is ordered waits in the outbox')
    return
  }
  if (settings.transport === undefined && settings.smtpUrl === undefined) app.log.info({ directory: settings.directory }, 'mails are not sent but written to this folder')

  const { verificationTtlSeconds, resetTtlSeconds, undoTtlSeconds, invitationTtlSeconds } = settings
  const deliver = createDeliver({
    ...settings,
    ...chosen,
    outbox: database.outbox,
    resolve: createResolveOrder({
      database,
      secrets,
      ttls: {
        'verify-email': verificationTtlSeconds,
        'change-email': verificationTtlSeconds,
        'reset-password': resetTtlSeconds,
        'undo-email-change': undoTtlSeconds,
        invitation: invitationTtlSeconds
      },
      linkBase: settings.linkBase,
      service: from.name === '' ? hostOf(from) : from.name
    }),
    guard: guardOf(app, settings),
    from,
    templates: { ...templates, ...settings.templates }
  })
  app.addHook('onReady', async () => {
    worker = startMailWorker({
      outbox: database.outbox,
      deliver,
      concurrency: settings.concurrency,
      pollMs: settings.pollMs,
      leaseSeconds: settings.sendTimeoutMs / 1000 + leaseMarginSeconds,
      isSchemaReady: database.isSchemaReady,
      onDelivery (order, delivery, known) {
        tries[delivery.outcome]++
        logDelivery(app, order, delivery, known)
      },
      log: app.log
    })
  })
  // While requests in flight finish, not after them: a server that hangs must not add its time to theirs.
  let closing: Promise<void> | undefined
  app.addHook('preClose', done => {
    closing = worker?.close(settings.closeTimeoutMs)
    done()
  })
  app.addHook('onClose', async () => {
    await closing
    chosen.transport.close()
  })
}

export const mailPlugin = fp(mail, { name: 'auth-serve-mail', fastify: '5.x', dependencies: ['auth-serve-db', 'auth-serve-auth'] })
export default mailPlugin
