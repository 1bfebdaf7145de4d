import type { Guard } from '../breakers/breakers.ts'
import type { LeasedMail, OutboxStore } from '../db/outbox.ts'
import { CodedError } from '../errors.ts'
import { withinTime } from '../within-time.ts'
import { composeMail } from './compose-mail.ts'
import { describeFailure, failureKind, type FailureKind } from './failure.ts'
import type { MailTemplates } from './mail-values.ts'
import type { Mailbox, MailTransport, OutgoingMail } from './outgoing-mail.ts'
import type { ResolvedMail, ResolveOrder } from './resolve-order.ts'
import { retryDelay } from './retry-delay.ts'

/** What became of a try; `unavailable` says for how long nothing need be tried. */
export type Delivery =
  | { outcome: 'sent' | 'discarded' }
  | { outcome: 'retried' | 'failed', kind: FailureKind, error: string }
  | { outcome: 'unavailable', retryAfterSeconds: number }

/** Makes one try to send a mail that is leased, and settles it. Throws what the database throws. */
export type Deliver = (order: LeasedMail) => Promise<Delivery>

export interface DeliverDependencies {
  outbox: OutboxStore
  resolve: ResolveOrder
  transport: MailTransport
  /** The breaker around the transport. */
  guard: Guard
  from: Mailbox
  templates: MailTemplates
  /** Texts that no error may show. */
  hidden: readonly string[]
  /** Milliseconds that a transport may take. */
  sendTimeoutMs: number
  /** Seconds after which a mail that was not sent is a dead letter. */
  retrySeconds: number
}

export function createDeliver ({ outbox, resolve, transport, guard, sendTimeoutMs, retrySeconds, ...settings }: DeliverDependencies): Deliver {
  async function recordFailure (order: LeasedMail, { token = '', recipient }: ResolvedMail, thrown: unknown, kind: FailureKind): Promise<Delivery> {
    const error = describeFailure(thrown, [token, recipient, ...settings.hidden])
    const ageSeconds = (Date.now() - order.createdAt.getTime()) / 1000
    const hopeless = kind === 'refused' || ageSeconds >= retrySeconds
    if (hopeless) await outbox.markFailed(order, error)
    else await outbox.retryLater(order, { error, delaySeconds: retryDelay({ attempts: order.attempts, ageSeconds, outage: kind === 'outage' }) })
    return { outcome: hopeless ? 'failed' : 'retried', kind, error }
  }

  async function send (order: LeasedMail, resolved: ResolvedMail, mail: OutgoingMail): Promise<Delivery> {
    let tried = false
    try {
      await guard(async () => {
        tried = true
        await withinTime(sendTimeoutMs, async signal => { await transport.send(mail, signal) })
      })
    } catch (error) {
      if (tried) return await recordFailure(order, resolved, error, failureKind(error))
      await outbox.giveBack(order)
      return { outcome: 'unavailable', retryAfterSeconds: error instanceof CodedError ? error.retryAfterSeconds ?? 1 : 1 }
    }
    await outbox.markSent(order)
    return { outcome: 'sent' }
  }

  return async order => {
    const resolved = await resolve(order)
    if (resolved === undefined) {
      await outbox.discard(order)
      return { outcome: 'discarded' }
    }
    let mail: OutgoingMail
    try {
      mail = composeMail(order.id, resolved, settings)
    } catch (error) {
      return await recordFailure(order, resolved, error, 'later')
    }
    return await send(order, resolved, mail)
  }
}
