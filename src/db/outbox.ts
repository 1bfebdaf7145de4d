import { and, eq, inArray, sql } from 'drizzle-orm'
import type { Run } from './pool.ts'
import { actionPurposes, mailCooldowns, outbox, type mailTemplates } from './tables.ts'

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

export type OutboxStore = ReturnType<typeof createOutboxStore>

/** Mails that are owed. */
export function createOutboxStore (run: Run) {
  return {
    /** Takes back the orders of links that are about this person's account and were not sent yet. */
    async discardLinks (userId: string): Promise<void> {
      await run(async orm => await orm.delete(outbox).where(and(eq(outbox.userId, userId), eq(outbox.status, 'pending'), inArray(outbox.template, actionPurposes))))
    },

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
    }
  }
}
