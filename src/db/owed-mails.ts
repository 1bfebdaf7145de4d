import { and, desc, eq, inArray, ne, or, sql } from 'drizzle-orm'
import type { Run } from './pool.ts'
import { actionPurposes, outbox, type mailTemplates } from './tables.ts'

/** What of the outbox is about the mails that a person is still owed. */
export function createOwedMails (run: Run) {
  const linksOf = (userId: string) => and(eq(outbox.userId, userId), inArray(outbox.template, actionPurposes))
  return {
    /** Takes back the orders of links that are about this person's account and were not sent yet, but those of this kind. */
    async discardLinks (userId: string, except?: typeof actionPurposes[number]): Promise<void> {
      await run(async orm => await orm.delete(outbox)
        .where(and(linksOf(userId), eq(outbox.status, 'pending'), except === undefined ? undefined : ne(outbox.template, except))))
    },

    /**
     * Withdraws the links that a person is owed, also those of dead letters, but the ones that take back a change of e-mail
     * from before this version (see the tokens of the same person).
     */
    async withdrawSince (userId: string, version: number): Promise<void> {
      await run(async orm => await orm.delete(outbox).where(and(
        linksOf(userId),
        inArray(outbox.status, ['pending', 'failed']),
        or(ne(outbox.template, 'undo-email-change'), sql`(${outbox.values} ->> 'version')::int >= ${version}`)
      )))
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
