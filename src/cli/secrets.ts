import { readOrCreateSecret, type Config } from '../config.ts'
import { createSecrets, type Secrets } from '../keys/secrets.ts'

/** AUTH_SECRET, or what development keeps in DATA_DIR. */
export async function secretsOf ({ tokens, database }: Pick<Config, 'tokens' | 'database'>): Promise<Secrets> {
  return createSecrets(tokens.secrets ?? [await readOrCreateSecret(database.dataDir)])
}
