import type postgres from 'postgres'
import type { Test } from 'tap'
import { v7 as uuidv7 } from 'uuid'
import type { MailTemplate } from '../../src/db/outbox.ts'
import type { DatabaseLocation } from '../../src/db/client.ts'
import type { OutgoingMail } from '../../src/mail/outgoing-mail.ts'
import { connect } from './database.ts'
import { newEmail } from './people.ts'
import { until } from './until.ts'

export interface OutboxRow { status: string, attempts: number, sealed: string | null, last_error: string | null, values: object, next_attempt_at: Date, leased_until: Date | null }

/** People and orders as the use cases write them, and what becomes of them. */
export interface TestOutbox {
  sql: postgres.Sql
  addPerson(more?: { email?: string, verified?: boolean, firstName?: string, active?: boolean, deleted?: boolean }): Promise<{ id: string, email: string }>
  order(order: { template: MailTemplate, userId?: string, recipient: string | null, values?: Record<string, string> }): Promise<string>
  /** Undefined for an order that was dropped. */
  row(id: string): Promise<OutboxRow | undefined>
  /** Waits until an order is dropped without a mail. */
  dropped(id: string): Promise<void>
  /** Waits until an order has this status. */
  settled(id: string, status: string): Promise<OutboxRow>
  /** Waits until a try failed, and lets no other follow until the order is made due. */
  hold(id: string): Promise<OutboxRow>
  /** Makes an order due that waits for its next try. */
  makeDue(id: string): Promise<void>
  /** Tables and rows in which a text stands, whatever the column. */
  search(text: string): Promise<string[]>
}

export function createTestOutbox (t: Test, database: DatabaseLocation): TestOutbox {
  const sql = connect(database)
  t.teardown(async () => { await sql.end() })
  const row = async (id: string): Promise<OutboxRow | undefined> => (await sql<OutboxRow[]>`select * from outbox where id = ${id}`)[0]
  return {
    sql,
    row,
    async addPerson ({ email = newEmail(), verified = false, firstName, active = true, deleted = false } = {}) {
      const id = uuidv7()
      await sql`insert into users (id, email, email_canonical, first_name, email_verified_at, is_active, deleted_at)
        values (${id}, ${email}, ${email}, ${firstName ?? null}, ${verified ? sql`now()` : null}, ${active}, ${deleted ? sql`now()` : null})`
      return { id, email }
    },
    async order ({ template, userId, recipient, values = {} }) {
      const id = uuidv7()
      await sql`insert into outbox (id, template, user_id, recipient, "values") values (${id}, ${template}, ${userId ?? null}, ${recipient}, ${sql.json(values)})`
      return id
    },
    async dropped (id) { await until('the order is dropped', async () => await row(id) === undefined) },
    async settled (id, status) {
      let found: OutboxRow | undefined
      await until(`the mail is ${status}`, async () => { found = await row(id); return found?.status === status && found.leased_until === null })
      if (found === undefined) throw new Error('there is none')
      return found
    },
    async hold (id) {
      let held: OutboxRow | undefined
      await until('a try failed', async () => {
        [held] = await sql<OutboxRow[]>`update outbox set next_attempt_at = now() + interval '1 hour'
          where id = ${id} and status = 'pending' and last_error is not null and leased_until is null returning *`
        return held !== undefined
      })
      if (held === undefined) throw new Error('there is none')
      return held
    },
    async makeDue (id) { await sql`update outbox set next_attempt_at = now() where id = ${id}` },
    async search (text) {
      const tables = await sql`select table_name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'`
      const found = await Promise.all(tables.map(async ({ table_name: table }) =>
        (await sql`select row_to_json(r)::text as row from ${sql(String(table))} r where row_to_json(r)::text like ${`%${text}%`}`).map(({ row }) => `${table}: ${row}`)))
      return found.flat()
    }
  }
}

/** A transport of a host's that keeps what it is given; while `fail` is set it throws that. */
export interface TestTransport {
  mails: OutgoingMail[]
  fail: Error | undefined
  sendMail(mail: OutgoingMail): Promise<void>
  /** The mails to an address so far. */
  to(address: string): OutgoingMail[]
  /** Waits for as many mails to an address, and answers the last. */
  arrived(address: string, count?: number): Promise<OutgoingMail>
}

export function createTestTransport (): TestTransport {
  const mails: OutgoingMail[] = []
  return {
    mails,
    fail: undefined,
    async sendMail (mail) {
      mails.push(mail)
      if (this.fail !== undefined) throw this.fail
    },
    to: address => mails.filter(({ to }) => to.address === address),
    async arrived (address, count = 1) {
      await until(`${count} mails for ${address}`, () => this.to(address).length >= count)
      const last = this.to(address).at(-1)
      if (last === undefined) throw new Error('there is none')
      return last
    }
  }
}

/** The token of the link that a mail shows. */
export const tokenOf = ({ text }: { text: string }): string => /#token=(\S+)/.exec(text)?.[1] ?? ''
