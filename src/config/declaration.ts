import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'
import { accounts, audit, mail, webhooks } from './declaration-of-accounts.ts'

/** What .env.example shows for AUTH_SECRET; production refuses it like any other known value. */
export const exampleSecret = 'replace-this-with-the-output-of-auth-serve-secret'

/** Fewest characters of an entry of AUTH_SECRET: as hex digits, the weakest usual spelling, 128 bits (ASVS 11.2.3). */
export const secretMinLength = 32

const server = Type.Object({
  environment: Type.Union([Type.Literal('development'), Type.Literal('production'), Type.Literal('test')], {
    env: 'NODE_ENV',
    default: 'development',
    description: 'Production refuses weak secrets and implicit storage. Write production for staging and the like too.'
  }),
  host: Type.String({
    env: 'HOST',
    default: '127.0.0.1',
    description: 'Address to listen on. Only this machine can reach the default; a container sets 0.0.0.0 (or :: for IPv6).'
  }),
  port: Type.Integer({ env: 'PORT', default: 3000, minimum: 0, maximum: 65535, description: 'TCP port; 0 takes any free one, and then PUBLIC_URL is worth setting.' }),
  publicUrl: Type.String({
    env: 'PUBLIC_URL',
    derived: 'the listening address, with `localhost` for loopback and wildcard addresses',
    example: 'https://accounts.example.com',
    description: 'Where clients reach the service: http or https, a path if a proxy adds one, no slash at the end.'
  }),
  apiPrefix: Type.String({
    env: 'API_PREFIX',
    default: '/api/v1',
    pattern: '^(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+$',
    expected: 'a path that begins with a slash and does not end with one, such as /api/v1',
    description: 'Path of the API. The service routes (/health, /docs and others) stay at the root.'
  }),
  trustProxy: Type.Union([Type.Boolean(), Type.Array(Type.String())], {
    env: 'TRUST_PROXY',
    default: false,
    description: 'Whose X-Forwarded-* headers count: `false` nobody, `true` anybody (only where nothing but your proxy can reach the port, and it overwrites the header instead of appending to it), or, better, addresses, networks and the names loopback, linklocal, uniquelocal, separated by commas.'
  }),
  bodyLimitBytes: Type.Integer({ env: 'BODY_LIMIT_BYTES', default: 1048576, minimum: 1024, maximum: 104857600, description: 'Largest request body; a longer one is answered 413.' }),
  shutdownTimeoutMs: Type.Integer({ env: 'SHUTDOWN_TIMEOUT_MS', default: 10000, minimum: 100, maximum: 600000, description: 'Milliseconds that requests in flight get after SIGTERM before the process ends anyway.' }),
  corsOrigins: Type.Optional(Type.Array(Type.String(), { env: 'CORS_ORIGINS', derived: 'none', example: 'https://app.example.com', description: 'Origins that browsers may call the API from, or `*`.' })),
  shutdownDrainMs: Type.Integer({ env: 'SHUTDOWN_DRAIN_MS', default: 200, minimum: 0, maximum: 60000, description: 'Milliseconds between turning unready and closing the port, for load balancers that poll /readiness.' }),
  docsEnabled: Type.Boolean({ env: 'DOCS_ENABLED', default: true, description: 'Serve Swagger UI and the OpenAPI document under /docs.' }),
  metricsEnabled: Type.Boolean({ env: 'METRICS_ENABLED', default: true, description: 'Measure, and serve the metrics for Prometheus under /metrics. They hold no secrets, but are open to whoever reaches the port.' })
}, { title: 'Server' })

const database = Type.Object({
  url: Type.Optional(Type.String({
    env: 'DATABASE_URL',
    sensitive: true,
    derived: 'none: an embedded PostgreSQL in DATA_DIR',
    example: 'postgres://user:password@localhost:5432/auth_serve',
    description: 'PostgreSQL 14 to 18. TLS by `?sslmode=verify-full`; `require` encrypts, but checks no certificate.'
  })),
  listenUrl: Type.Optional(Type.String({
    env: 'DATABASE_LISTEN_URL',
    sensitive: true,
    derived: 'DATABASE_URL',
    example: 'postgres://user:password@localhost:5432/auth_serve',
    description: 'The same PostgreSQL reached directly, where DATABASE_URL leads to PgBouncer or another pooler by transaction: no notification comes through one, and without notifications the service is never ready.'
  })),
  dataDir: Type.String({
    env: 'DATA_DIR',
    default: './data',
    description: 'Folder of the embedded database and of the secret that development makes. Production without DATABASE_URL must name it, so that no redeploy loses users by accident.'
  }),
  poolMax: Type.Integer({ env: 'DATABASE_POOL_MAX', default: 10, minimum: 2, maximum: 1000, description: 'Connections at most, per process. Two at least, so that one transaction never blocks everything else.' }),
  statementTimeoutMs: Type.Integer({ env: 'DATABASE_STATEMENT_TIMEOUT_MS', default: 5000, minimum: 100, maximum: 600000, description: 'Milliseconds after which PostgreSQL cancels a statement.' }),
  acquireTimeoutMs: Type.Integer({ env: 'DATABASE_ACQUIRE_TIMEOUT_MS', default: 2000, minimum: 50, maximum: 600000, description: 'Milliseconds a request waits for a free connection before it is answered 503.' }),
  preparedStatements: Type.Boolean({ env: 'DATABASE_PREPARED_STATEMENTS', default: true, description: 'Prepare statements on each connection. `false` for a pooler that cannot keep them apart, such as PgBouncer before 1.21 by transaction; statements then cost more.' }),
  migrate: Type.Boolean({ env: 'DATABASE_MIGRATE', default: true, description: 'Bring the schema up to date at start; `false` leaves that to `auth-serve migrate up`.' })
}, { title: 'Storage' })

const tokens = Type.Object({
  secrets: Type.Optional(Type.Array(Type.String(), {
    env: 'AUTH_SECRET',
    sensitive: true,
    derived: 'development makes one and keeps it in DATA_DIR/secret; production requires it',
    example: exampleSecret,
    description: `Keys the encryption of signing keys, the refresh tokens, the device tokens and the login counters; whoever holds a refresh token of an entry that is dropped must sign in again. At least ${secretMinLength} characters; \`auth-serve secret\` prints a good one. Several, newest first, separated by commas: the first makes, all are accepted; change by \`old,new\`, then \`new,old\`, then \`new\`.`
  })),
  issuer: Type.String({ env: 'JWT_ISSUER', derived: 'PUBLIC_URL', example: 'https://accounts.example.com', description: 'Claim `iss` of access tokens; verifiers must ask for exactly this. An https URL is what other software expects (RFC 8414).' }),
  audience: Type.String({ env: 'JWT_AUDIENCE', default: 'auth-serve', pattern: '^\\S+$', expected: 'one name or URL without spaces', description: 'Claim `aud` of access tokens; verifiers must ask for exactly this.' }),
  clientId: Type.String({ env: 'JWT_CLIENT_ID', default: 'auth-serve', pattern: '^[\\x21-\\x7E]+$', expected: 'printable ASCII without spaces', description: 'Claim `client_id` of access tokens.' }),
  algorithm: Type.Union([Type.Literal('ES256'), Type.Literal('EdDSA'), Type.Literal('RS256')], { env: 'JWT_ALGORITHM', default: 'ES256', description: 'What new signing keys are for: ES256, EdDSA (Ed25519) or RS256 (3072 bit). A change makes a new key at the next start; the old one verifies until its last token has expired.' }),
  keyRotationDays: Type.Integer({ env: 'JWT_KEY_ROTATION_DAYS', default: 90, minimum: 0, maximum: 3650, description: 'Days after which a signing key is followed by a new one, which is published ten minutes before its first use; 0 for never by itself.' }),
  keyActivationSeconds: Type.Integer({ env: 'JWT_KEY_ACTIVATION_SECONDS', default: 5, minimum: 0, maximum: 86400, description: 'Seconds between the publication and the first use of a key that was asked for by `auth-serve keys rotate` or POST /admin/keys/rotate.' }),
  keyFiles: Type.Optional(Type.Array(Type.String(), { env: 'JWT_KEY_FILES', derived: 'none: the service makes keys and keeps them in the database', example: '/etc/auth-serve/key-2.pem,/etc/auth-serve/key-1.pem', description: 'Unencrypted PEM files of keys that you manage. The first private one signs, all verify; change by `old,new`, then `new,old`, then `new`, with a restart each. Begin with the public key alone on every instance: it verifies beside the keys of the service.' })),
  cacheSize: Type.Integer({ env: 'TOKEN_CACHE_SIZE', default: 10000, minimum: 0, maximum: 10000000, description: 'Verified access tokens that a process remembers, so that each signature is computed once; about 1.5 kB each. 0 remembers none.' })
}, { title: 'Secrets and tokens' })

const sessions = Type.Object({
  accessTtlSeconds: Type.Integer({ env: 'ACCESS_TOKEN_TTL_SECONDS', default: 900, minimum: 5, maximum: 86400, description: 'Life of an access token in seconds.' }),
  idleTtlSeconds: Type.Integer({ env: 'REFRESH_IDLE_TTL_SECONDS', default: 1209600, minimum: 5, maximum: 31536000, description: 'Seconds after which a refresh token that nobody used expires.' }),
  absoluteTtlSeconds: Type.Integer({ env: 'REFRESH_ABSOLUTE_TTL_SECONDS', default: 2592000, minimum: 5, maximum: 31536000, description: 'Life of a session in seconds, from the login on; no token outlives it.' }),
  refreshGraceSeconds: Type.Integer({ env: 'REFRESH_GRACE_SECONDS', default: 10, minimum: 0, maximum: 300, description: 'Seconds after its rotation in which a refresh token still gets the newest one: for lost responses and parallel tabs.' }),
  maxPerUser: Type.Optional(Type.Integer({ env: 'SESSION_MAX_PER_USER', derived: 'no bound', example: '20', minimum: 1, maximum: 10000, description: 'Sessions of one person at once; one more ends the oldest.' })),
  freshSessionSeconds: Type.Integer({ env: 'FRESH_SESSION_SECONDS', default: 600, minimum: 1, maximum: 86400, description: 'Seconds after a login or reauthentication in which an account may be deleted and the like.' })
}, { title: 'Sessions' })

const revocation = Type.Object({
  maxStalenessSeconds: Type.Optional(Type.Integer({ env: 'REVOCATION_MAX_STALENESS_SECONDS', derived: 'ACCESS_TOKEN_TTL_SECONDS', example: '900', minimum: 1, maximum: 86400, description: 'Seconds for which a process may be cut off from the news of logouts and changed rights before routes that need an access token answer 503.' })),
  maxEntries: Type.Integer({ env: 'REVOCATION_MAX_ENTRIES', default: 200000, minimum: 1, maximum: 10000000, description: 'Ended sessions and changed users that a process holds in memory while tokens of them live, about 150 bytes each. Beyond it each request asks the database.' })
}, { title: 'Revocation' })

const passwords = Type.Object({
  minLength: Type.Integer({ env: 'PASSWORD_MIN_LENGTH', default: 8, minimum: 8, maximum: 1024, description: 'Shortest new password in code points (ASVS 6.2.1 asks for 8).' }),
  maxLength: Type.Integer({ env: 'PASSWORD_MAX_LENGTH', default: 128, minimum: 64, maximum: 1024, description: 'Longest password in code points; a longer one is refused, never cut (ASVS 6.2.9 asks for 64 at least).' }),
  minStrength: Type.Integer({ env: 'PASSWORD_MIN_STRENGTH', default: 3, minimum: 0, maximum: 4, description: 'Least strength of a new password as zxcvbn scores it: 0 takes anything, 3 withstands about 10^8 guesses, 4 about 10^10.' }),
  require: Type.Optional(Type.Array(Type.Union([Type.Literal('lower'), Type.Literal('upper'), Type.Literal('digit'), Type.Literal('symbol')]), { env: 'PASSWORD_REQUIRE', derived: 'none, as NIST 800-63B-4 and ASVS 6.2.5 ask', example: 'lower,upper,digit,symbol', expected: 'a list of lower, upper, digit and symbol', description: 'Kinds of characters that a new password must hold, for those whose rules demand it: any of `lower`, `upper`, `digit` and `symbol`, separated by commas.' })),
  breachUrl: Type.Optional(Type.String({ env: 'PASSWORD_BREACH_URL', derived: 'none: passwords are not looked up', example: 'https://api.pwnedpasswords.com/range/', pattern: '^(https?|file)://[^\\s?#@]+$', expected: 'a URL such as https://api.pwnedpasswords.com/range/ or file:///srv/ranges/', description: 'Range API (k-anonymity: only five hex digits of the SHA-1 are sent) that knows breached passwords, or as file: a folder of downloaded ranges. Where it cannot be asked the password is accepted, and that is logged.' })),
  breachTimeoutMs: Type.Integer({ env: 'PASSWORD_BREACH_TIMEOUT_MS', default: 1000, minimum: 50, maximum: 30000, description: 'Milliseconds that a look-up of a breached password may take.' }),
  memoryKib: Type.Integer({ env: 'ARGON2_MEMORY_KIB', default: 19456, minimum: 1024, maximum: 4194304, description: 'Memory of one argon2id hash in KiB. Raised parameters re-hash at the next login.' }),
  timeCost: Type.Integer({ env: 'ARGON2_TIME_COST', default: 2, minimum: 1, maximum: 100, description: 'Passes of argon2id over that memory.' }),
  parallelism: Type.Integer({ env: 'ARGON2_PARALLELISM', default: 1, minimum: 1, maximum: 16, description: 'Lanes of argon2id.' }),
  engine: Type.Union([Type.Literal('auto'), Type.Literal('argon2'), Type.Literal('node-rs')], {
    env: 'HASH_ENGINE',
    default: 'auto',
    description: 'Which argon2id: the reference `argon2`, the faster `node-rs` (@node-rs/argon2), or `auto`: the faster where it loads. Both make the same strings.'
  }),
  concurrency: Type.Optional(Type.Integer({
    env: 'HASH_CONCURRENCY',
    derived: 'one per processor core, but less than UV_THREADPOOL_SIZE',
    example: '2',
    minimum: 1,
    maximum: 1023,
    description: 'Hashes computed at once. Less than UV_THREADPOOL_SIZE, or file and DNS work would wait behind logins.'
  })),
  queue: Type.Integer({ env: 'HASH_QUEUE', default: 64, minimum: 0, maximum: 10000, description: 'Hashes that may wait; beyond it logins are answered 503 OVERLOADED.' }),
  threadPoolSize: Type.Integer({
    env: 'UV_THREADPOOL_SIZE',
    processOnly: true,
    default: 4,
    minimum: 2,
    maximum: 1024,
    description: 'Threads of Node\'s libuv pool, which computes the hashes. Node reads it itself at its start, so it counts in the environment only, not in `.env`.'
  })
}, { title: 'Passwords' })

const login = Type.Object({
  maxFailures: Type.Integer({ env: 'LOGIN_MAX_FAILURES', default: 5, minimum: 1, maximum: 100, description: 'Consecutive failures of one identifier before it is locked (NIST 800-63B-4 allows 100 at most).' }),
  lockSeconds: Type.Integer({ env: 'LOGIN_LOCK_SECONDS', default: 60, minimum: 1, maximum: 900, description: 'First lock in seconds; it doubles with each further failure, up to 15 minutes. After 100 in a row only a reset link, a known device or an administrator opens the account.' }),
  forgetDays: Type.Integer({ env: 'LOGIN_FORGET_DAYS', default: 30, minimum: 1, maximum: 3650, description: 'Days after the last failure in which the count of an account or identifier starts again; below 100 failures in a row.' }),
  addressMaxFailures: Type.Integer({ env: 'LOGIN_ADDRESS_MAX_FAILURES', default: 1000, minimum: 1, maximum: 1000000, description: 'Failed logins of one client address in a window, whoever they were for; beyond it only known devices sign in from there. IPv6 counts per /64. Behind a proxy this needs TRUST_PROXY, or everybody is one address.' }),
  addressWindowSeconds: Type.Integer({ env: 'LOGIN_ADDRESS_WINDOW_SECONDS', default: 3600, minimum: 1, maximum: 86400, description: 'Length of that window in seconds.' }),
  deviceTokenTtlSeconds: Type.Integer({ env: 'DEVICE_TOKEN_TTL_SECONDS', default: 15552000, minimum: 60, maximum: 63072000, description: 'Seconds for which a device is known after its last login. A known device has a count of failures of its own, so that a stranger cannot lock its owner out, and gets no notice of a new device.' })
}, { title: 'Failed logins' })

const rateLimit = Type.Object({
  enabled: Type.Boolean({ env: 'RATE_LIMIT_ENABLED', default: true, description: 'Limit requests per client address. The lock after failed logins is another thing and always on.' }),
  max: Type.Integer({ env: 'RATE_LIMIT_MAX', default: 1000, minimum: 1, maximum: 1000000, description: 'Requests per client address and window.' }),
  credentialsMax: Type.Optional(Type.Integer({ env: 'RATE_LIMIT_CREDENTIALS_MAX', derived: 'RATE_LIMIT_MAX', example: '30', minimum: 1, maximum: 1000000, description: 'The same for routes that check or set a password, on a count of their own. Where clients do not share an address, as behind a company gateway, 30 is plenty.' })),
  windowSeconds: Type.Integer({ env: 'RATE_LIMIT_WINDOW_SECONDS', default: 60, minimum: 1, maximum: 86400, description: 'Length of the window in seconds.' }),
  redisUrl: Type.Optional(Type.String({ env: 'REDIS_URL', sensitive: true, derived: 'none: every process counts for itself', example: 'redis://localhost:6379', pattern: '^rediss?://\\S+$', expected: 'a URL such as redis://localhost:6379 or rediss://host:6380', description: 'Redis that counts across processes. Where it is lost, every process counts for itself until it is back.' }))
}, { title: 'Request limits' })

const breakers = Type.Object({
  threshold: Type.Integer({ env: 'BREAKER_FAILURE_THRESHOLD', default: 5, minimum: 1, maximum: 1000, description: 'Consecutive failures of a dependency after which it is no longer asked.' }),
  resetMs: Type.Integer({ env: 'BREAKER_RESET_MS', default: 1000, minimum: 10, maximum: 3600000, description: 'Milliseconds after which one call tries the dependency again.' })
}, { title: 'Circuit breakers' })

const logging = Type.Object({
  level: Type.Union([
    Type.Literal('fatal'), Type.Literal('error'), Type.Literal('warn'), Type.Literal('info'), Type.Literal('debug'),
    Type.Literal('trace'), Type.Literal('silent')
  ], { env: 'LOG_LEVEL', default: 'info', description: 'Least severe lines that are written.' }),
  file: Type.Optional(Type.String({ env: 'LOG_FILE', derived: 'none', example: '/var/log/auth-serve/auth-serve.log', description: 'File that gets every line beside stdout, rolled by size.' })),
  fileMaxBytes: Type.Integer({ env: 'LOG_FILE_MAX_BYTES', default: 52428800, minimum: 1048576, maximum: 10737418240, description: 'Size at which the log file is rolled.' }),
  fileMaxCount: Type.Integer({ env: 'LOG_FILE_MAX_COUNT', default: 10, minimum: 1, maximum: 1000, description: 'Log files that are kept.' })
}, { title: 'Logging' })

/**
 * Every setting of the standalone service, once: section, name, type and default here, environment key under `env`.
 * Own annotations: `derived` says in words what an absent value becomes, `example` stands in .env.example where there is
 * no default, `sensitive` values are never shown, `processOnly` ones count in the environment but not in `.env`,
 * `expected` says in a message what a pattern wants.
 */
export const ConfigSchema = Type.Object({ server, database, tokens, sessions, revocation, passwords, login, accounts, mail, audit, webhooks, rateLimit, breakers, logging })

/** The settings of the standalone service, complete and checked. */
export type Config = Static<typeof ConfigSchema>
