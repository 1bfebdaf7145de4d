import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseEnv } from 'node:util'
import { Value } from '@sinclair/typebox/value'
import { listeningUrl } from './config/addresses.ts'
import { ConfigSchema } from './config/declaration.ts'
import type { Config } from './config/declaration.ts'
import { ConfigError } from './config/error.ts'
import { parseSetting } from './config/parse.ts'
import { applyRules } from './config/rules.ts'
import { settings } from './config/settings.ts'

export { ConfigError }
export { generateSecret, readOrCreateSecret } from './config/secret-file.ts'
export type { Config }

/**
 * The environment, completed by the settings of a `.env` file where there is one. The environment wins, also with an
 * empty value, so that `KEY= auth-serve serve` switches a line of the file off. Variables that are not ours are left
 * alone: those that Node itself reads would come too late to mean anything.
 *
 * @throws ConfigError when the file exists but cannot be read.
 */
export function readEnvironment (file = '.env', env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const lines = parseEnv(readIfPresent(file))
  const known = settings.flatMap(({ key, processOnly }) => processOnly || lines[key] === undefined ? [] : [[key, lines[key]]])
  return { ...Object.fromEntries(known), ...env }
}

function readIfPresent (file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT') return ''
    throw new ConfigError([`${file} cannot be read (${code}): make it a readable file or remove it`])
  }
}

/**
 * Reads every setting. White space around values is dropped, an empty value counts as absent. An explicit `env` is
 * taken as it is, without any `.env` file.
 *
 * @throws ConfigError listing all problems at once, never with a secret value.
 */
export function loadConfig (env: NodeJS.ProcessEnv = readEnvironment()): Config {
  const problems: string[] = []
  const refused = new Set<string>()
  const values: Record<string, Record<string, unknown>> = {}
  const textOf = (key: string): string => env[key]?.trim() ?? ''

  for (const setting of settings) {
    const text = textOf(setting.key)
    const parsed = text === '' ? { value: setting.default } : parseSetting(setting, text)
    if ('problem' in parsed) {
      problems.push(parsed.problem)
      refused.add(setting.key)
    }
    const value = 'problem' in parsed ? setting.default : parsed.value
    if (value !== undefined) (values[setting.section] ??= {})[setting.name] = value
  }

  const config = complete(values)
  const production = config.server.environment === 'production' || refused.has('NODE_ENV')
  problems.push(...applyRules(config, { given: key => textOf(key) !== '', production }, refused))
  if (problems.length > 0) throw new ConfigError(problems)
  return config
}

/** A sender at the host that people know; what is no URL is refused by the rules. */
const defaultSender = (publicUrl: string): string => `auth-serve <no-reply@${URL.canParse(publicUrl) ? new URL(publicUrl).hostname : 'localhost'}>`

/** Fills in what is worked out from other settings. */
function complete (values: Record<string, Record<string, unknown>>): Config {
  const { server = {}, tokens = {}, database = {}, accounts = {}, mail = {} } = values
  const publicUrl = server.publicUrl ?? listeningUrl(String(server.host), Number(server.port))
  // Absolute, since helpers of the embedded database run in folders of their own.
  const dataDir = resolve(String(database.dataDir))
  const config = {
    ...values,
    server: { ...server, publicUrl },
    database: { ...database, dataDir },
    tokens: { ...tokens, issuer: tokens.issuer ?? publicUrl },
    accounts: { ...accounts, requireEmailVerification: accounts.requireEmailVerification ?? accounts.registrationPrivacy === 'private' },
    mail: { ...mail, linkBase: mail.linkBase ?? `${String(publicUrl)}/pages`, from: mail.from ?? defaultSender(String(publicUrl)), directory: resolve(String(mail.directory ?? join(dataDir, 'mail'))) }
  }
  Value.Assert(ConfigSchema, config)
  return config
}
