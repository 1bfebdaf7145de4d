import { customType, timestamp } from 'drizzle-orm/pg-core'

/** Milliseconds, as JavaScript dates have them, so that a time read and sent back compares equal. */
export const moment = (name: string) => timestamp(name, { withTimezone: true, precision: 3, mode: 'date' })

/** Raw bytes. */
export const bytea = customType<{ data: Buffer }>({ dataType: () => 'bytea' })
