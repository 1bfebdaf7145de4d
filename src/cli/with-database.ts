import { loadConfig, type Config } from '../config.ts'
import { createSinglePool, type Pool } from '../db/pool.ts'
import { openDatabase } from '../database-location.ts'
import { createLogger } from '../logging/create-logger.ts'
import { tidyAfter } from './interruption.ts'
import type { Surroundings } from './surroundings.ts'

/** Runs a command over one connection to the configured database and lets go of everything afterwards. */
export async function withDatabase<T> ({ env, stderr }: Pick<Surroundings, 'env' | 'stderr'>, work: (pool: Pool, config: Config) => Promise<T>): Promise<T> {
  const config = loadConfig(env())
  const { location, close } = await openDatabase(config, createLogger({ level: 'warn', pretty: false, destination: stderr }))
  return await tidyAfter(close, async () => {
    const pool = createSinglePool(location)
    try {
      return await work(pool, config)
    } finally {
      await pool.close()
    }
  })
}
