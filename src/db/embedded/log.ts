/** Where the embedded PostgreSQL says what it does; a pino logger fits. */
export interface EmbeddedLog {
  info (obj: object, msg: string): void
  warn (obj: object, msg: string): void
}
