/** A failure of the embedded PostgreSQL that a person can act on; the message says what to do. */
export class EmbeddedPostgresError extends Error {
  override readonly name = 'EmbeddedPostgresError'
}

/** Whether `err` is a system, driver or SQL error with one of these codes (`ENOENT`, `57P03`, ...). */
export function hasCode (err: unknown, ...codes: string[]): boolean {
  return err instanceof Error && 'code' in err && typeof err.code === 'string' && codes.includes(err.code)
}
