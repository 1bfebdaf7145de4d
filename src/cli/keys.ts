import { Command } from 'commander'
import { createAudit } from '../audit/audit.ts'
import { readOrCreateSecret } from '../config.ts'
import { migrateUp } from '../db/migrations.ts'
import { createDatabase, type Database } from '../db/stores.ts'
import { readKeyFiles } from '../key-files.ts'
import { createListKeys, type ListKeys } from '../keys/list-keys.ts'
import { readPemKeys } from '../keys/pem-keys.ts'
import { createRevokeKey } from '../keys/revoke-key.ts'
import { createRotateKeys, type KeyDependencies } from '../keys/rotate-keys.ts'
import { createSecrets } from '../keys/secrets.ts'
import type { Key } from '../schemas/key.ts'
import { withDatabase } from './with-database.ts'

interface OutputOptions { json?: boolean }

const context = (command: string) => ({ requestId: null, ipAddress: null, userAgent: `auth-serve keys ${command}` })
const print = (text: string): void => { process.stdout.write(`${text}\n`) }
const printJson = (value: unknown): void => { print(JSON.stringify(value, null, 2)) }

/** Runs a command with what the service itself would work with; one that only looks changes no schema. */
async function withKeys<T> ({ migrate }: { migrate: boolean }, work: (keys: KeyDependencies & { database: Database, listKeys: ListKeys }) => Promise<T>): Promise<T> {
  return await withDatabase(async (pool, config) => {
    const { tokens, sessions } = config
    const { keys: pemKeys } = readPemKeys(await readKeyFiles(tokens.keyFiles ?? []))
    if (migrate && config.database.migrate) await migrateUp(pool)
    const database = createDatabase(pool)
    return await work({
      database,
      audit: createAudit(database, () => {}),
      policy: {
        secrets: createSecrets(tokens.secrets ?? [await readOrCreateSecret(config.database.dataDir)]),
        algorithm: tokens.algorithm,
        accessTtlSeconds: sessions.accessTtlSeconds,
        activationSeconds: tokens.keyActivationSeconds
      },
      pemKeys,
      listKeys: createListKeys({ database, pemKeys }),
      // Every running service is told by the database.
      onKeysChanged: async () => {}
    })
  })
}

function table (keys: readonly Key[]): string {
  const rows = [
    ['KID', 'ALGORITHM', 'STATE', 'SOURCE', 'ACTIVATES', 'RETIRES', 'EXPIRES', 'REVOKED'],
    ...keys.map(key => [key.kid, key.algorithm, key.state, key.source, ...[key.activatesAt, key.retiresAt, key.expiresAt, key.revokedAt].map(moment => moment ?? '-')])
  ]
  const widths = rows.reduce<number[]>((widest, row) => row.map((cell, column) => Math.max(cell.length, widest[column] ?? 0)), [])
  return rows.map(row => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd()).join('\n')
}

async function listKeys ({ json = false }: OutputOptions): Promise<void> {
  const keys = await withKeys({ migrate: false }, async ({ listKeys }) => await listKeys())
  if (json) printJson(keys)
  else print(table(keys))
}

async function rotateKeys ({ json = false }: OutputOptions): Promise<void> {
  const key = await withKeys({ migrate: true }, async keys => await createRotateKeys(keys)(undefined, context('rotate')))
  if (json) printJson(key)
  else print(key.kid)
}

async function revokeKey (kid: string): Promise<void> {
  const keys = await withKeys({ migrate: true }, async keys => {
    await createRevokeKey(keys)(kid, undefined, context('revoke'))
    return await keys.listKeys()
  })
  print(`revoked ${kid}`)
  if (keys.every(({ state }) => state !== 'active')) {
    process.stderr.write('No key is left that can sign: nobody can sign in until JWT_KEY_FILES names another private key and the service is started again.\n')
  }
}

export const keysCommand = new Command('keys')
  .description('manage the keys that sign access tokens')
  .addCommand(new Command('list')
    .description('list every key, without private parts')
    .option('--json', 'JSON instead of a table')
    .action(listKeys))
  .addCommand(new Command('rotate')
    .description('make a new key, which signs after JWT_KEY_ACTIVATION_SECONDS; prints its id')
    .option('--json', 'the whole key in JSON')
    .action(rotateKeys))
  .addCommand(new Command('revoke')
    .description('drop a compromised key: every token that it signed is refused at once')
    .argument('<kid>', 'id of the key, as "keys list" shows it')
    // An id may begin with a hyphen.
    .helpOption('--help')
    .allowUnknownOption()
    .action(revokeKey))
