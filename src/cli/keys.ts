import { Command } from 'commander'
import { createAudit } from '../audit/audit.ts'
import { createDatabase, type Database } from '../db/stores.ts'
import { readKeyFiles } from '../key-files.ts'
import { createListKeys, type ListKeys } from '../keys/list-keys.ts'
import { readPemKeys } from '../keys/pem-keys.ts'
import { createRevokeKey } from '../keys/revoke-key.ts'
import { createRotateKeys, type KeyDependencies } from '../keys/rotate-keys.ts'
import type { Key } from '../schemas/key.ts'
import { bringUp } from './bring-up.ts'
import { confirm, yesOption, type ConfirmOptions } from './confirm.ts'
import { print, printJson, table, type OutputOptions } from './output.ts'
import { secretsOf } from './secrets.ts'
import type { Surroundings } from './surroundings.ts'
import { withDatabase } from './with-database.ts'

const context = (command: string) => ({ requestId: null, ipAddress: null, userAgent: `auth-serve keys ${command}` })

/** Runs a command with what the service itself would work with; one that only looks changes no schema. */
async function withKeys<T> (surroundings: Surroundings, { migrate }: { migrate: boolean }, work: (keys: KeyDependencies & { database: Database, listKeys: ListKeys }) => Promise<T>): Promise<T> {
  return await withDatabase(surroundings, async (pool, config) => {
    const { tokens, sessions } = config
    const { keys: pemKeys } = readPemKeys(await readKeyFiles(tokens.keyFiles ?? []))
    if (migrate && config.database.migrate) await bringUp(pool)
    const database = createDatabase(pool)
    return await work({
      database,
      audit: createAudit(database, () => {}),
      policy: {
        secrets: await secretsOf(config),
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

const tableOf = (keys: readonly Key[]): string => table(
  ['KID', 'ALGORITHM', 'STATE', 'SOURCE', 'ACTIVATES', 'RETIRES', 'EXPIRES', 'REVOKED'],
  keys.map(key => [key.kid, key.algorithm, key.state, key.source, key.activatesAt, key.retiresAt, key.expiresAt, key.revokedAt])
)

export function keysCommand (surroundings: Surroundings): Command {
  const { stdout, stderr } = surroundings

  async function list ({ json = false }: OutputOptions): Promise<void> {
    const keys = await withKeys(surroundings, { migrate: false }, async ({ listKeys }) => await listKeys())
    if (json) printJson(stdout, keys)
    else print(stdout, tableOf(keys))
  }

  async function rotate ({ json = false }: OutputOptions): Promise<void> {
    const key = await withKeys(surroundings, { migrate: true }, async keys => await createRotateKeys(keys)(undefined, context('rotate')))
    if (json) printJson(stdout, key)
    else print(stdout, key.kid)
  }

  async function revoke (kid: string, { json = false, ...options }: OutputOptions & ConfirmOptions): Promise<void> {
    await confirm(surroundings, `Every token that key ${kid} signed is refused from now on, and this cannot be undone.`, options)
    const keys = await withKeys(surroundings, { migrate: true }, async keys => {
      await createRevokeKey(keys)(kid, undefined, context('revoke'))
      return await keys.listKeys()
    })
    if (json) printJson(stdout, keys.find(key => key.kid === kid) ?? null)
    else print(stdout, `revoked ${kid}`)
    if (keys.every(({ state }) => state !== 'active')) {
      print(stderr, 'No key is left that can sign: nobody can sign in until JWT_KEY_FILES names another private key and the service is started again.')
    }
  }

  return new Command('keys')
    .description('manage the keys that sign access tokens')
    .addHelpText('after', `
Examples:
  auth-serve keys list --json
  auth-serve keys rotate
  auth-serve keys revoke --yes 6yNJ9CTxqVYcHPAuHPZ8o4zP3xPVXO4uJaXSJZq1gOg`)
    .addCommand(new Command('list')
      .description('list every key, without private parts')
      .option('--json', 'JSON instead of a table')
      .action(list))
    .addCommand(new Command('rotate')
      .description('make a new key, which signs after JWT_KEY_ACTIVATION_SECONDS; prints its id')
      .option('--json', 'the whole key in JSON')
      .action(rotate))
    .addCommand(new Command('revoke')
      .description('drop a compromised key: every token that it signed is refused at once')
      .argument('<kid>', 'id of the key, as "keys list" shows it')
      // An id may begin with a hyphen.
      .helpOption('--help')
      .allowUnknownOption()
      .option(...yesOption)
      .option('--json', 'the key in JSON')
      .action(revoke))
}
