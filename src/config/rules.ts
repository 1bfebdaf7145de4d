import { isBaseUrl, isDatabaseUrl, isListeningHost, isProxyAddress, isSmtpUrl } from './addresses.ts'
import { secretMinLength } from './declaration.ts'
import type { Config } from './declaration.ts'
import { problemsOfRoles } from './role-definitions.ts'
import { secretWeakness } from './secret-strength.ts'

/** What a rule may look at beside the values. */
export interface Circumstances {
  /** Whether the environment names this key, rather than leaving it to its default. */
  given (key: string): boolean
  /** Whether the rules of production hold: also where NODE_ENV is a word we do not know. */
  production: boolean
}

/** What no single type can say. Skipped when one of `keys` was already refused: its value is not the one that was meant. */
export interface Rule {
  keys: readonly string[]
  /** Every problem in a sentence, without any sensitive value. */
  problems (config: Config, circumstances: Circumstances): string[]
}

const when = (wrong: boolean, problem: string): string[] => wrong ? [problem] : []

// Least memory in KiB for 1, 2, ... passes (OWASP Password Storage Cheat Sheet, argon2id).
const leastMemory = [47104, 19456, 12288, 9216, 7168]

const valueRules: Rule[] = [
  {
    keys: ['HOST'],
    problems: ({ server }) => when(!isListeningHost(server.host),
      `HOST must be an IP address or a host name without scheme, brackets or port, not ${JSON.stringify(server.host)}`)
  },
  {
    keys: ['PUBLIC_URL'],
    problems: ({ server }, { given }) => when(given('PUBLIC_URL') && (!isBaseUrl(server.publicUrl) || server.publicUrl.endsWith('/')),
      'PUBLIC_URL must be an http or https URL without user, query, fragment or slash at the end, such as https://accounts.example.com')
  },
  {
    keys: ['JWT_ISSUER'],
    problems: ({ tokens }, { given }) => when(given('JWT_ISSUER') && /\s/.test(tokens.issuer),
      'JWT_ISSUER must be a name or URL without spaces, such as https://accounts.example.com')
  },
  {
    keys: ['TRUST_PROXY'],
    problems: ({ server: { trustProxy } }) => typeof trustProxy === 'boolean'
      ? []
      : trustProxy.filter(entry => !isProxyAddress(entry)).map(entry => /^\d+$/.test(entry)
        ? 'TRUST_PROXY takes no number of hops (it cannot tell a proxy from a client): name the proxies by address or network'
        : `TRUST_PROXY must be true, false, or a list of addresses, networks (10.0.0.0/8), loopback, linklocal or uniquelocal; ${JSON.stringify(entry)} is none of them`)
  },
  {
    keys: ['DATABASE_URL'],
    problems: ({ database }) => when(database.url !== undefined && !isDatabaseUrl(database.url),
      'DATABASE_URL must be a URL such as postgres://user:password@host:5432/name, with reserved characters of the password percent-encoded (its value is not shown)')
  },
  {
    keys: ['DATABASE_LISTEN_URL'],
    problems: ({ database: { url, listenUrl } }) => [
      ...when(listenUrl !== undefined && !isDatabaseUrl(listenUrl),
        'DATABASE_LISTEN_URL must be a URL such as postgres://user:password@host:5432/name (its value is not shown)'),
      ...when(listenUrl !== undefined && url === undefined, 'DATABASE_LISTEN_URL needs DATABASE_URL: the embedded PostgreSQL is reached directly anyway')
    ]
  },
  {
    keys: ['LINK_BASE'],
    problems: ({ mail: { linkBase = '' } }, { given }) => when(given('LINK_BASE') && (!isBaseUrl(linkBase) || linkBase.endsWith('/')),
      'LINK_BASE must be an http or https URL without user, query, fragment or slash at the end, such as https://app.example.com/account')
  },
  {
    keys: ['SMTP_URL'],
    problems: ({ mail: { smtpUrl } }) => when(smtpUrl !== undefined && !isSmtpUrl(smtpUrl),
      'SMTP_URL must be a URL such as smtps://user:password@smtp.example.com:465, with reserved characters of the password percent-encoded (its value is not shown)')
  },
  {
    keys: ['MAIL_FROM'],
    problems: ({ mail: { from = '' } }, { given }) => when(given('MAIL_FROM') && !/^(?:[^<>\r\n]*<[^\s<>@,;:]+@[^\s<>@,;]+>|[^\s<>@,;:]+@[^\s<>@,;]+)$/.test(from),
      'MAIL_FROM must be an address such as accounts@example.com or Accounts <accounts@example.com>')
  },
  { keys: ['ROLES'], problems: ({ accounts }) => problemsOfRoles(accounts.roles) },
  {
    keys: ['AUTH_SECRET'],
    problems: ({ tokens: { secrets = [] } }, { production }) => secrets.flatMap((secret, index) => {
      const entry = secrets.length > 1 ? `AUTH_SECRET, entry ${index + 1},` : 'AUTH_SECRET'
      const short = secret.length < secretMinLength ? `shorter than ${secretMinLength} characters` : undefined
      // Only production judges more than the length: examples, tests and compose files need values that can be read.
      const weakness = short ?? (production ? secretWeakness(secret) : undefined)
      return [
        ...when(weakness !== undefined, `${entry} is ${weakness}: write what \`auth-serve secret\` prints`),
        ...when(secrets.indexOf(secret) < index, `${entry} is listed before: write each secret once, newest first`)
      ]
    })
  }
]

const contradictionRules: Rule[] = [
  {
    keys: ['REGISTRATION_PRIVACY', 'REQUIRE_EMAIL_VERIFICATION'],
    problems: ({ accounts }) => when(accounts.registrationPrivacy === 'private' && accounts.requireEmailVerification === false,
      'REGISTRATION_PRIVACY=private needs REQUIRE_EMAIL_VERIFICATION: drop REQUIRE_EMAIL_VERIFICATION=false or write REGISTRATION_PRIVACY=public')
  },
  {
    keys: ['ACCESS_TOKEN_TTL_SECONDS', 'REFRESH_ABSOLUTE_TTL_SECONDS'],
    problems: ({ sessions }, { given }) => when(given('ACCESS_TOKEN_TTL_SECONDS') && sessions.accessTtlSeconds > sessions.absoluteTtlSeconds,
      `ACCESS_TOKEN_TTL_SECONDS (${sessions.accessTtlSeconds}) must not be more than REFRESH_ABSOLUTE_TTL_SECONDS (${sessions.absoluteTtlSeconds}): lower the first or raise the second`)
  },
  {
    keys: ['REFRESH_IDLE_TTL_SECONDS', 'REFRESH_ABSOLUTE_TTL_SECONDS'],
    problems: ({ sessions }, { given }) => when(given('REFRESH_IDLE_TTL_SECONDS') && sessions.idleTtlSeconds > sessions.absoluteTtlSeconds,
      `REFRESH_IDLE_TTL_SECONDS (${sessions.idleTtlSeconds}) must not be more than REFRESH_ABSOLUTE_TTL_SECONDS (${sessions.absoluteTtlSeconds}): lower the first or raise the second`)
  },
  {
    keys: ['PASSWORD_MIN_LENGTH', 'PASSWORD_MAX_LENGTH'],
    problems: ({ passwords }) => when(passwords.minLength > passwords.maxLength,
      `PASSWORD_MIN_LENGTH (${passwords.minLength}) must not be more than PASSWORD_MAX_LENGTH (${passwords.maxLength}): lower the first or raise the second`)
  },
  {
    keys: ['HASH_CONCURRENCY', 'UV_THREADPOOL_SIZE'],
    problems: ({ passwords: { concurrency = 1, threadPoolSize } }) => when(concurrency >= threadPoolSize,
      `HASH_CONCURRENCY (${concurrency}) must be less than UV_THREADPOOL_SIZE (${threadPoolSize}): lower the first or raise the second`)
  }
]

const productionRules: Rule[] = [
  {
    keys: ['AUTH_SECRET'],
    problems: ({ tokens }) => when(tokens.secrets === undefined, 'AUTH_SECRET is missing and production needs it: write what `auth-serve secret` prints')
  },
  {
    keys: ['DATA_DIR', 'DATABASE_URL'],
    problems: ({ database }, { given }) => when(database.url === undefined && !given('DATA_DIR'),
      'DATABASE_URL and DATA_DIR are both missing and production needs one: write where PostgreSQL is, or the folder that survives redeploys')
  },
  {
    keys: ['ARGON2_MEMORY_KIB', 'ARGON2_TIME_COST'],
    problems ({ passwords }) {
      const least = leastMemory[Math.min(passwords.timeCost, leastMemory.length) - 1] ?? 0
      return when(passwords.memoryKib < least,
        `ARGON2_MEMORY_KIB (${passwords.memoryKib}) must be at least ${least} with ARGON2_TIME_COST ${passwords.timeCost} in production (OWASP): raise either`)
    }
  }
]

/** Every problem that the rules find, apart from those about keys in `refused`. */
export function applyRules (config: Config, circumstances: Circumstances, refused: ReadonlySet<string>): string[] {
  return [...valueRules, ...contradictionRules, ...(circumstances.production ? productionRules : [])]
    .filter(rule => !rule.keys.some(key => refused.has(key)))
    .flatMap(rule => rule.problems(config, circumstances))
}
