import { and, desc, eq, inArray, or, sql } from 'drizzle-orm'
import type { LinksOfPerson } from './action-tokens.ts'
import type { Run } from './pool.ts'
import { outbox, type mailTemplates } from './tables.ts'

/** What of the outbox is about the mails that a person is still owed. */
export function createOwedMails (run: Run) {
  return {
    /** Withdraws these links that a person is owed, also those of dead letters. */
    async withdraw (userId: string, { purposes, undone }: LinksOfPerson): Promise<void> {
      const undoes = undone === undefined ? undefined : and(eq(outbox.template, 'undo-email-change'), sql`(${outbox.values} ->> 'version')::int >= ${undone}`)
      await run(async orm => await orm.delete(outbox)
        .where(and(inArray(outbox.status, ['pending', 'failed']), eq(outbox.userId, userId), or(inArray(outbox.template, purposes), undoes))))
    },

    /** What became of the newest mail of this kind to a person; undefined where it was sent, or never ordered. */
    async unsent (userId: string, template: typeof mailTemplates[number]): Promise<'pending' | 'failed' | undefined> {
      const [row] = await run(async orm => await orm.select({ status: outbox.status }).from(outbox)
        .where(and(inArray(outbox.status, ['pending', 'failed']), eq(outbox.userId, userId), eq(outbox.template, template)))
        .orderBy(desc(outbox.id)).limit(1))
      return row === undefined || row.status === 'sent' ? undefined : row.status
    }
  }
}
