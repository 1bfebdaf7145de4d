import type { Config } from './config.ts'
import { startEmbeddedPostgres, type EmbeddedLog } from './db/embedded/index.ts'
import type { DatabaseLocation } from './db/client.ts'

/** Where the database of a process is, and how to let go of it. */
export interface OpenedDatabase {
  location: DatabaseLocation
  /** Stops the embedded server where this process was the last to use it. */
  close(): Promise<void>
}

/** DATABASE_URL, or else the embedded PostgreSQL in DATA_DIR, started where it does not run yet. */
export async function openDatabase (config: Config, log: EmbeddedLog): Promise<OpenedDatabase> {
  const { url, dataDir } = config.database
  if (url !== undefined) return { location: { url }, close: async () => {} }
  const embedded = await startEmbeddedPostgres({ dataDir, log })
  return { location: embedded.connection, close: embedded.close }
}
