export { startEmbeddedPostgres, type EmbeddedPostgres, type EmbeddedPostgresOptions } from './embedded-postgres.ts'
export { EmbeddedPostgresError } from './errors.ts'
export type { EmbeddedLog } from './log.ts'
