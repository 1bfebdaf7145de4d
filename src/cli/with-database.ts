import { loadConfig, type Config } from '../config.ts'
import { createClient, type Sql } from '../db/client.ts'
import { openDatabase } from '../database-location.ts'
import { createLogger } from '../logging/create-logger.ts'

/** Runs a command over one connection to the configured database and lets go of everything afterwards. */
export async function withDatabase<T> (work: (sql: Sql, config: Config) => Promise<T>): Promise<T> {
  const config = loadConfig()
  const { location, close } = await openDatabase(config, createLogger({ level: 'warn', pretty: false, destination: 2 }))
  try {
    const sql = createClient(location, { max: 1, statementTimeoutMs: 0, connectTimeoutSeconds: 10 })
    try {
      return await work(sql, config)
    } finally {
      await sql.end({ timeout: 5 })
    }
  } finally {
    await close()
  }
}
