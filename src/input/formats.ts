import { canonicalEmail } from '../accounts/email.ts'

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const dateTime = /^(?!0000)(\d{4})-(\d\d)-(\d\d)T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/

/**
 * Text that PostgreSQL, a mail and a log line can all hold: no NUL, no lone surrogate (RFC 8259, 8.2). Other control
 * characters are text; a schema that wants a single line says so with a pattern.
 */
export function isText (value: string): boolean {
  return !/[\0\p{Surrogate}]/u.test(value)
}

/** A moment of RFC 3339 that exists: no 30 February, no year 0, no leap second (nothing we store could hold one). */
export function isDateTime (value: string): boolean {
  const [, year, month, day] = dateTime.exec(value)?.map(Number) ?? []
  if (year === undefined || month === undefined || day === undefined) return false
  // setUTCFullYear and not Date.UTC, which takes the years 0..99 for 1900..1999.
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day
}

/** What each `format` of our schemas means; a schema that names another one fails when it is compiled. */
export const formats: Readonly<Record<string, (value: string) => boolean>> = {
  text: isText,
  password: isText,
  email: value => canonicalEmail(value) !== undefined,
  uuid: value => uuid.test(value),
  'date-time': isDateTime
}
