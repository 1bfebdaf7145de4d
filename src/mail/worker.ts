import type { LeasedMail, OutboxStore } from '../db/outbox.ts'
import { startLeasingWorker, type LeasingWorker, type LeasingWorkerOptions, type Standing } from '../leasing/worker.ts'
import type { Deliver, Delivery } from './deliver.ts'
import { outageCapSeconds } from './retry-delay.ts'

export interface MailWorkerOptions extends Pick<LeasingWorkerOptions<LeasedMail, Delivery>, 'concurrency' | 'pollMs' | 'isSchemaReady' | 'log'> {
  outbox: OutboxStore
  deliver: Deliver
  /** Seconds after which others may take a mail that this worker took; longer than any try. */
  leaseSeconds: number
  /** Told of each try; `known` where it was made to find out whether an outage is over. */
  onDelivery: (order: LeasedMail, delivery: Delivery, known: boolean) => void
}

/** What is brought forward once the transport works again: the rest comes within the longest wait after an outage. */
const afterOutage = { withinSeconds: outageCapSeconds, spreadSeconds: 2, limit: 1000 }

/** What a try says of the transport. */
function judgeDelivery (delivery: Delivery): Standing | undefined {
  if (delivery.outcome === 'unavailable') return { away: true, pauseSeconds: delivery.retryAfterSeconds }
  if ('kind' in delivery) return { away: delivery.kind === 'outage' }
  return delivery.outcome === 'sent' ? { away: false } : undefined
}

/** Sends what is in the outbox, in the background, this many mails at once. Other workers may do the same. */
export function startMailWorker ({ outbox, deliver, leaseSeconds, onDelivery, ...options }: MailWorkerOptions): LeasingWorker {
  return startLeasingWorker({
    ...options,
    name: 'outbox',
    lease: async limit => await outbox.lease(limit, leaseSeconds),
    giveBack: outbox.giveBack,
    work: deliver,
    judge: judgeDelivery,
    onRecovered: async () => { await outbox.hasten(afterOutage) },
    onOutcome: onDelivery
  })
}
