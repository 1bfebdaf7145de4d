import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { ConfigError, loadConfig, readEnvironment } from '../../src/config.ts'
import { generateSecret } from '../../src/config/secret-file.ts'
import { settings } from '../../src/config/settings.ts'
import { problemsOf } from '../helpers/config-problems.ts'

const secret = generateSecret()

t.test('an empty environment gives the documented defaults', async t => {
  t.strictSame(loadConfig({}), {
    server: {
      environment: 'development',
      host: '127.0.0.1',
      port: 3000,
      publicUrl: 'http://localhost:3000',
      apiPrefix: '/api/v1',
      trustProxy: false,
      bodyLimitBytes: 1048576,
      shutdownTimeoutMs: 10000,
      shutdownDrainMs: 200,
      docsEnabled: true,
      metricsEnabled: true
    },
    database: { dataDir: resolve('data'), poolMax: 10, statementTimeoutMs: 5000, acquireTimeoutMs: 2000, preparedStatements: true, migrate: true },
    tokens: {
      issuer: 'http://localhost:3000',
      audience: 'auth-serve',
      clientId: 'auth-serve',
      algorithm: 'ES256',
      keyRotationDays: 90,
      keyActivationSeconds: 5,
      cacheSize: 10000
    },
    rateLimit: { enabled: true, max: 1000, windowSeconds: 60 },
    audit: { sealSeconds: 10, retentionDays: 365 },
    webhooks: { timeoutMs: 10000, concurrency: 16, retrySeconds: 259200, retentionDays: 7, allowPrivate: false },
    breakers: { threshold: 5, resetMs: 1000 },
    sessions: { accessTtlSeconds: 900, idleTtlSeconds: 1209600, absoluteTtlSeconds: 2592000, refreshGraceSeconds: 10, freshSessionSeconds: 600 },
    revocation: { maxEntries: 200000 },
    passwords: {
      minLength: 8,
      maxLength: 128,
      minStrength: 3,
      breachTimeoutMs: 1000,
      memoryKib: 19456,
      timeCost: 2,
      parallelism: 1,
      engine: 'auto',
      queue: 64,
      threadPoolSize: 4
    },
    login: { maxFailures: 5, lockSeconds: 60, forgetDays: 30, addressMaxFailures: 1000, addressWindowSeconds: 3600, deviceTokenTtlSeconds: 15552000 },
    accounts: { requireEmailVerification: false, registrationPrivacy: 'public', verificationTtlSeconds: 86400, resetTtlSeconds: 1800, undoTtlSeconds: 604800, invitationTtlSeconds: 604800 },
    mail: {
      from: 'auth-serve <no-reply@localhost>',
      directory: resolve('data/mail'),
      linkBase: 'http://localhost:3000/pages',
      cooldownSeconds: 60,
      concurrency: 4,
      retrySeconds: 172800,
      retentionDays: 30
    },
    logging: { level: 'info', fileMaxBytes: 52428800, fileMaxCount: 10 }
  })
})

t.test('without an argument the environment of the process is read', async t => {
  const before = process.env.JWT_AUDIENCE
  t.teardown(() => { if (before === undefined) delete process.env.JWT_AUDIENCE; else process.env.JWT_AUDIENCE = before })
  process.env.JWT_AUDIENCE = 'audience-of-the-process'
  t.equal(loadConfig().tokens.audience, 'audience-of-the-process')
})

t.test('every key is declared once, with a description and a default or the words for one', async t => {
  t.strictSame(settings.map(({ key }) => key), [...new Set(settings.map(({ key }) => key))])
  for (const { key, title, section, description, default: value, derived } of settings) {
    t.match(key, /^[A-Z][A-Z0-9_]+$/)
    t.not(title, section, `${key}: its section has a title`)
    t.ok(description.length > 10, `${key} is described`)
    t.not(value === undefined, derived === undefined, `${key}: a default or a derived one`)
  }
})

t.test('values are read, trimmed, and empty ones count as absent', async t => {
  const config = loadConfig({
    HOST: '::1',
    PORT: ' 8080 ',
    DOCS_ENABLED: '0',
    DATABASE_MIGRATE: 'true',
    LOG_LEVEL: '',
    PASSWORD_MIN_LENGTH: '   ',
    TRUST_PROXY: 'loopback, 10.0.0.0/8,2001:db8::/32',
    DATABASE_URL: 'postgres://u:p%40ss@one:5432,two:5433/accounts?sslmode=require',
    AUTH_SECRET: `${secret} , ${secret}-older\n`,
    PUBLIC_URL: 'https://accounts.example.com/base',
    HASH_CONCURRENCY: '7',
    UV_THREADPOOL_SIZE: '8'
  })
  t.match(config, {
    server: { port: 8080, docsEnabled: false, trustProxy: ['loopback', '10.0.0.0/8', '2001:db8::/32'] },
    database: { migrate: true, url: 'postgres://u:p%40ss@one:5432,two:5433/accounts?sslmode=require' },
    tokens: { issuer: 'https://accounts.example.com/base', secrets: [secret, `${secret}-older`] },
    passwords: { minLength: 8, concurrency: 7, threadPoolSize: 8 },
    logging: { level: 'info', fileMaxBytes: 52428800, fileMaxCount: 10 }
  })
  t.equal(loadConfig({ TRUST_PROXY: 'true' }).server.trustProxy, true)
  t.equal(loadConfig({ DATABASE_URL: 'postgresql:///accounts?host=/run/postgresql' }).database.url, 'postgresql:///accounts?host=/run/postgresql')
})

t.test('PUBLIC_URL defaults to the listening address, JWT_ISSUER to PUBLIC_URL', async t => {
  t.equal(loadConfig({ HOST: '::', PORT: '81' }).tokens.issuer, 'http://localhost:81')
  t.equal(loadConfig({ HOST: 'fd00::1' }).server.publicUrl, 'http://[fd00::1]:3000')
  t.equal(loadConfig({ HOST: 'accounts.local' }).server.publicUrl, 'http://accounts.local:3000')
  t.equal(loadConfig({ JWT_ISSUER: 'https://id.example.com/' }).tokens.issuer, 'https://id.example.com/')
})

t.test('each bad value is refused, naming its key and what to write instead', async t => {
  const cases: Array<[key: string, value: string, says: RegExp]> = [
    ['NODE_ENV', 'staging', /one of development, production, test, not "staging"/],
    ['HOST', 'http://localhost', /without scheme/],
    ['HOST', 'localhost:3000', /without scheme/],
    ...['x', '1e3', '0x50', '80.5', '-1', '65536', '99999999999999999999'].map((value): [string, string, RegExp] =>
      ['PORT', value, /a whole number from 0 to 65535/]),
    ...['localhost:3000', 'ftp://example.com', 'https://example.com/', 'https://u:p@example.com', 'https://example.com?a=b', 'https://example.com:99999', 'https://'].map((value): [string, string, RegExp] =>
      ['PUBLIC_URL', value, /http or https URL/]),
    ...['api', '/api/', '/', '//api', '/:id', '/*', '/../x', '/a b'].map((value): [string, string, RegExp] =>
      ['API_PREFIX', value, /such as \/api\/v1/]),
    ['TRUST_PROXY', '1', /no number of hops/],
    ['ROLES', 'support', /"support" is no role/],
    ['ROLES', 'Support=users:read', /names of lower-case letters/],
    ['ROLES', 'admin=users:read', /must not define admin/],
    ['ROLES', 'support=users:read,support=users:write', /defines support twice/],
    ['ROLES', 'support=users:reed', /"users:reed", which is none of users:read/],
    ['TRUST_PROXY', 'yes', /"yes" is none of them/],
    ['TRUST_PROXY', '10.0.0.0/33', /is none of them/],
    ['TRUST_PROXY', '10.0.0.1,,::1', /"" is none of them/],
    ['TRUST_PROXY', '::1/64/64', /is none of them/],
    ['DATABASE_URL', 'mysql://u:hunter22@db/x', /must be a URL such as postgres:/],
    ['DATABASE_URL', 'postgres://u:hunter22#@db/x', /percent-encoded/],
    ['DATABASE_URL', 'postgres://u:hunter22%zz@db/x', /percent-encoded/],
    ['DATABASE_POOL_MAX', '1', /from 2 to/],
    ['DATABASE_MIGRATE', 'maybe', /true or false, not "maybe"/],
    ['JWT_ISSUER', 'my issuer', /without spaces/],
    ['JWT_AUDIENCE', 'two words', /without spaces/],
    ['JWT_CLIENT_ID', 'grün', /printable ASCII/],
    ['ACCESS_TOKEN_TTL_SECONDS', '4', /from 5 to/],
    ['HASH_ENGINE', 'bcrypt', /one of auto, argon2, node-rs/],
    ['HASH_CONCURRENCY', '4', /less than UV_THREADPOOL_SIZE \(4\)/],
    ['UV_THREADPOOL_SIZE', '1', /from 2 to/],
    ...['smtp:///mail', 'smtp://u:hunter22%zz@mail', 'smtp://u:hunter22#@mail', 'smtps://u:hunter22@mail:99999'].map((value): [string, string, RegExp] =>
      ['SMTP_URL', value, /percent-encoded/]),
    ...['nobody', 'a@example.com,b@example.com', 'a;b@example.com', 'A <a@example.com> <b@example.com>'].map((value): [string, string, RegExp] =>
      ['MAIL_FROM', value, /must be an address such as/]),
    ['LOGIN_MAX_FAILURES', '101', /from 1 to 100/],
    ['AUTH_SECRET', 'hunter22', /shorter than 32/]
  ]
  for (const [key, value, says] of cases) {
    const problems = problemsOf({ AUTH_SECRET: secret, DATA_DIR: './data', [key]: value })
    t.equal(problems.length, 1, `${key}=${value}: one problem`)
    t.match(problems[0], says)
    t.ok(problems[0]?.startsWith(key), `${key} is named`)
    t.notMatch(problems[0], /hunter22|u:p@/, 'nothing secret is shown')
  }
})

t.test('all problems are told at once, one per line', async t => {
  const env = {
    NODE_ENV: 'prod',
    PORT: 'http',
    LOG_LEVEL: 'verbose',
    DATABASE_URL: 'mysql://u:hunter22@db/x',
    AUTH_SECRET: 'hunter22,hunter22',
    ACCESS_TOKEN_TTL_SECONDS: '7200',
    REFRESH_ABSOLUTE_TTL_SECONDS: '3600',
    PASSWORD_MIN_LENGTH: '100',
    PASSWORD_MAX_LENGTH: '64',
    ARGON2_TIME_COST: '1'
  }
  const error = t.throws(() => loadConfig(env), ConfigError)
  const lines = error instanceof Error ? error.message.split('\n') : []
  t.equal(lines[0], 'The configuration cannot be used:')
  t.strictSame(lines.slice(1).map(line => /^- ([A-Z0-9_]+)/.exec(line)?.[1]), [
    'NODE_ENV', 'PORT', 'LOG_LEVEL', 'DATABASE_URL', 'AUTH_SECRET', 'AUTH_SECRET', 'AUTH_SECRET',
    'ACCESS_TOKEN_TTL_SECONDS', 'PASSWORD_MIN_LENGTH', 'ARGON2_MEMORY_KIB'
  ])
  t.notMatch(lines.join('\n'), /hunter22/)
})

t.test('a contradiction with a value that was refused anyway is not told', async t => {
  t.strictSame(problemsOf({ ACCESS_TOKEN_TTL_SECONDS: 'soon', REFRESH_ABSOLUTE_TTL_SECONDS: '60' }).length, 1)
})

t.test('whatever a key holds, the answer is a config or problems, and sensitive text stays hidden', async () => {
  const keys = settings.map(({ key }) => key)
  fc.assert(fc.property(fc.constantFrom(...keys), fc.string({ unit: 'grapheme' }), (key, text) => {
    const hidden = settings.find(setting => setting.key === key)?.sensitive === true && text.trim().length > 6
    return problemsOf({ AUTH_SECRET: secret, DATA_DIR: './data', [key]: text }).every(problem => problem.includes(key) && !(hidden && problem.includes(text)))
  }), { numRuns: 500 })
})

t.test('a .env file completes the environment, which wins', async t => {
  const file = join(t.testdir({ '.env': '# comment\nPORT=4000\nexport LOG_LEVEL="warn" # why\nHOST=0.0.0.0\nUV_THREADPOOL_SIZE=64\nNODE_OPTIONS=--inspect\n' }), '.env')
  const env = readEnvironment(file, { PORT: '5000', HOST: '' })
  t.strictSame(env, { PORT: '5000', HOST: '', LOG_LEVEL: 'warn' }, 'what Node itself reads stays out')
  t.equal(loadConfig(env).server.host, '127.0.0.1', 'an empty value switches a line of the file off')
})

t.test('a .env file that is absent is no problem, one that cannot be read is', async t => {
  const dir = t.testdir({})
  t.strictSame(readEnvironment(join(dir, '.env'), { PORT: '1' }), { PORT: '1' })
  mkdirSync(join(dir, 'folder'))
  t.throws(() => readEnvironment(join(dir, 'folder'), {}), { name: 'ConfigError', message: /folder cannot be read \(EISDIR\)/ })
  writeFileSync(join(dir, 'plain'), '')
  t.throws(() => readEnvironment(join(dir, 'plain', '.env'), {}), { message: /ENOTDIR/ })
})
