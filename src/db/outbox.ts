import { and, desc, eq, gt, isNull, lt, lte, ne, or, sql } from 'drizzle-orm'
import type { PgUpdateSetSource } from 'drizzle-orm/pg-core'
import { createOwedMails } from './owed-mails.ts'
import type { Run } from './pool.ts'
import { mailCooldowns, outbox, type mailTemplates } from './tables.ts'

/** Every kind of mail. */
export type MailTemplate = typeof mailTemplates[number]

export interface NewMail {
  id: string
  template: MailTemplate
  userId: string | null
  recipient: string | null
  values: Record<string, string>
  /** Kind and address, as an HMAC: no further mail of this key is owed until the cooldown is over. */
  cooldownKey: Buffer
  cooldownSeconds: number
}

export type OutboxRow = typeof outbox.$inferSelect

export interface OutboxSummary { pending: number, failed: number, oldestPendingSeconds: number | null }

/** A mail that this worker alone works on until `leasedUntil`; that moment tells its lease from any other. */
export type LeasedMail = Pick<OutboxRow, 'id' | 'template' | 'userId' | 'recipient' | 'values' | 'attempts' | 'sealed' | 'createdAt'> & { leasedUntil: Date }

export type Lease = Pick<LeasedMail, 'id' | 'leasedUntil'>

export type OutboxStore = ReturnType<typeof createOutboxStore>

const seconds = (value: number) => sql`make_interval(secs => ${value})`
const isPending = eq(outbox.status, 'pending')
const over = { leasedUntil: null }

/** Mails that are owed. Whoever settles one must hold its lease; where that is over nothing changes and the answer is false. */
export function createOutboxStore (run: Run) {
  const ours = ({ id, leasedUntil }: Lease) => and(eq(outbox.id, id), isPending, eq(outbox.leasedUntil, leasedUntil))
  const settle = async (lease: Lease, changes: PgUpdateSetSource<typeof outbox>): Promise<boolean> =>
    (await run(async orm => await orm.update(outbox).set(changes).where(ours(lease)).returning({ id: outbox.id }))).length === 1

  return {
    ...createOwedMails(run),

    /** Orders a mail unless one of this kind was ordered for this address a moment ago; one statement either way. */
    async add (mail: NewMail): Promise<void> {
      await run(async orm => await orm.execute(sql`
        with due as (
          insert into ${mailCooldowns} (key, until) values (${mail.cooldownKey}::bytea, now() + make_interval(secs => ${mail.cooldownSeconds}))
          on conflict (key) do update set until = excluded.until where ${mailCooldowns.until} <= now()
          returning key
        )
        insert into ${outbox} (id, template, user_id, recipient, values)
        select ${mail.id}::uuid, ${mail.template}, ${mail.userId}::uuid, ${mail.recipient}::text, ${JSON.stringify(mail.values)}::jsonb from due`))
    },

    /** Takes what is due, the longest due first, for this many seconds, and counts the attempt. No transaction stays open. */
    async lease (limit: number, leaseSeconds: number): Promise<LeasedMail[]> {
      return await run(async orm => {
        const due = orm.select({ id: outbox.id }).from(outbox)
          .where(and(isPending, lte(outbox.nextAttemptAt, sql`now()`), or(isNull(outbox.leasedUntil), lte(outbox.leasedUntil, sql`now()`))))
          .orderBy(outbox.nextAttemptAt).limit(limit).for('update', { skipLocked: true })
        return await orm.update(outbox).set({ attempts: sql`${outbox.attempts} + 1`, leasedUntil: sql`now() + ${seconds(leaseSeconds)}` })
          .where(sql`${outbox.id} = any(array(${due}))`)
          .returning({
            id: outbox.id,
            template: outbox.template,
            userId: outbox.userId,
            recipient: outbox.recipient,
            values: outbox.values,
            attempts: outbox.attempts,
            sealed: outbox.sealed,
            createdAt: outbox.createdAt,
            leasedUntil: sql<Date>`${outbox.leasedUntil}`.mapWith(outbox.leasedUntil)
          })
      })
    },

    /** Whether the same was ordered again for this person, or for this address by who knows no person, and may still reach them. */
    async hasNewer ({ id, template, userId, recipient }: Pick<LeasedMail, 'id' | 'template' | 'userId' | 'recipient'>): Promise<boolean> {
      const [row] = await run(async orm => await orm.select({ id: outbox.id }).from(outbox)
        .where(and(ne(outbox.status, 'failed'), gt(outbox.id, id), eq(outbox.template, template),
          or(userId === null ? undefined : eq(outbox.userId, userId), and(userId === null ? undefined : isNull(outbox.userId), recipient === null ? undefined : eq(outbox.recipient, recipient)))))
        .limit(1))
      return row !== undefined
    },

    /** Keeps what must stay the same from one try to the next. */
    keep: async (lease: Lease, sealed: string): Promise<boolean> => await settle(lease, { sealed }),

    /** It was sent: what it said is forgotten. */
    markSent: async (lease: Lease): Promise<boolean> =>
      await settle(lease, { ...over, status: 'sent', sentAt: sql`now()`, sealed: null, values: {} }),

    /** It is tried again after this many seconds. */
    retryLater: async (lease: Lease, { delaySeconds, error }: { delaySeconds: number, error: string }): Promise<boolean> =>
      await settle(lease, { ...over, nextAttemptAt: sql`now() + ${seconds(delaySeconds)}`, lastError: error }),

    /** After an outage: makes what was to be tried within these seconds due in the next moments, `limit` at most. */
    async hasten ({ withinSeconds, spreadSeconds, limit }: { withinSeconds: number, spreadSeconds: number, limit: number }): Promise<void> {
      await run(async orm => {
        const waiting = orm.select({ id: outbox.id }).from(outbox)
          .where(and(isPending, gt(outbox.nextAttemptAt, sql`now()`), lte(outbox.nextAttemptAt, sql`now() + ${seconds(withinSeconds)}`)))
          .limit(limit).for('update', { skipLocked: true })
        await orm.update(outbox).set({ nextAttemptAt: sql`now() + random() * ${seconds(spreadSeconds)}` }).where(sql`${outbox.id} = any(array(${waiting}))`)
      })
    },

    /** It was not tried after all, and is due as before. */
    giveBack: async (lease: Lease): Promise<boolean> => await settle(lease, { ...over, attempts: sql`${outbox.attempts} - 1` }),

    /** It is a dead letter: nothing is tried again before somebody asks for it, and it is kept from now on. */
    markFailed: async (lease: Lease, error: string): Promise<boolean> =>
      await settle(lease, { ...over, status: 'failed', createdAt: sql`now()`, lastError: error, sealed: null }),

    /** Nothing is owed: it is about nobody. */
    async discard (lease: Lease): Promise<boolean> {
      return (await run(async orm => await orm.delete(outbox).where(ours(lease)).returning({ id: outbox.id }))).length === 1
    },

    /** Mails, newest first, from the one after `after` on. */
    async list ({ status, after, limit }: { status: OutboxRow['status'] | undefined, after: string | undefined, limit: number }): Promise<OutboxRow[]> {
      return await run(async orm => await orm.select().from(outbox)
        .where(and(status === undefined ? undefined : eq(outbox.status, status), after === undefined ? undefined : lt(outbox.id, after)))
        .orderBy(desc(outbox.id)).limit(limit))
    },

    /** Makes a mail that was not sent due now, with all the time for retries again; answers whether there is one. */
    async retryNow (id: string): Promise<boolean> {
      const rows = await run(async orm => await orm.update(outbox)
        .set({ status: 'pending', nextAttemptAt: sql`now()`, createdAt: sql`now()` })
        .where(and(eq(outbox.id, id), ne(outbox.status, 'sent'))).returning({ id: outbox.id }))
      return rows.length === 1
    },

    /** How many mails wait and how many are dead letters, and for how many seconds the oldest has waited; null where none waits. */
    async summary (): Promise<OutboxSummary> {
      const [row] = await run(async orm => await orm.execute<{ pending: string, failed: string, oldest: number | null }>(sql`
        select (select count(*) from ${outbox} where status = 'pending') as pending,
          (select count(*) from ${outbox} where status = 'failed') as failed,
          (select extract(epoch from now() - created_at)::float8 from ${outbox} where status = 'pending' order by id limit 1) as oldest`))
      return { pending: Number(row?.pending), failed: Number(row?.failed), oldestPendingSeconds: row?.oldest ?? null }
    },

    /** Removes what was owed this many days ago and is sent, or was given up then, `limit` at most; answers how many. */
    async purge ({ retentionDays, limit }: { retentionDays: number, limit: number }): Promise<number> {
      return await run(async orm => {
        const before = sql`now() - make_interval(days => ${retentionDays})`
        // Ids begin with their time (UUIDv7), so the key finds what is old. What was retried since is not.
        const oldest = sql`rpad(lpad(to_hex((extract(epoch from ${before}) * 1000)::bigint), 12, '0'), 32, '0')::uuid`
        const old = orm.select({ id: outbox.id }).from(outbox)
          .where(and(lt(outbox.id, oldest), ne(outbox.status, 'pending'), lt(outbox.createdAt, before)))
          .orderBy(outbox.id).limit(limit).for('update', { skipLocked: true })
        return (await orm.delete(outbox).where(sql`${outbox.id} = any(array(${old}))`).returning({ id: outbox.id })).length
      })
    },

    /** Removes cooldowns that are over, `limit` at most; answers how many. */
    async purgeCooldowns (limit: number): Promise<number> {
      return await run(async orm => {
        const over = orm.select({ key: mailCooldowns.key }).from(mailCooldowns)
          .where(lt(mailCooldowns.until, sql`now()`)).limit(limit).for('update', { skipLocked: true })
        return (await orm.delete(mailCooldowns).where(sql`${mailCooldowns.key} = any(array(${over}))`).returning({ key: mailCooldowns.key })).length
      })
    }
  }
}
