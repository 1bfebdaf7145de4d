import { Type, type Static } from '@sinclair/typebox'

const Url = () => Type.String({ pattern: '^https?://[^/]' })
const PostgresUrl = () => Type.String({ pattern: '^postgres(ql)?://' })
const Name = (name: string) => Type.String({ minLength: 1, default: name })

/** How a JWKS URL is read. */
const JwksOptionsSchema = Type.Object({
  /** Seconds after which the keys are read again in the background. */
  maxAgeSeconds: Type.Integer({ minimum: 1, maximum: 86_400, default: 300 }),
  /** Milliseconds from the start of a reading, or from the failure of one, before a token of an unknown key may cause another. */
  cooldownMs: Type.Integer({ minimum: 10, maximum: 600_000, default: 2000 }),
  /** Seconds for which keys are taken that could not be read again; beyond it 503. */
  maxStalenessSeconds: Type.Integer({ minimum: 1, maximum: 2_592_000, default: 86_400 }),
  /** Milliseconds that one reading may take. */
  timeoutMs: Type.Integer({ minimum: 10, maximum: 60_000, default: 5000 }),
  /** Bytes that the answer may have. */
  maxBytes: Type.Integer({ minimum: 256, maximum: 16_777_216, default: 262_144 })
}, { additionalProperties: false, default: {} })

/** The database of the issuer, for those who share it. */
const DatabaseOptionsSchema = Type.Object({
  /** `postgres://user:password@host:port/database`; TLS by `?sslmode=require` or `verify-full`. */
  url: PostgresUrl(),
  /** The same server reached directly, where `url` leads to a pooler by transaction. */
  listenUrl: Type.Optional(PostgresUrl()),
  /** Connections at most, besides the listening one. */
  poolMax: Type.Integer({ minimum: 1, maximum: 100, default: 2 }),
  /** Calls that may wait for one. */
  poolQueue: Type.Integer({ minimum: 0, default: 100 }),
  acquireTimeoutMs: Type.Integer({ minimum: 1, default: 2000 }),
  statementTimeoutMs: Type.Integer({ minimum: 1, default: 5000 }),
  connectTimeoutSeconds: Type.Number({ exclusiveMinimum: 0, default: 3 }),
  preparedStatements: Type.Boolean({ default: true }),
  /** Ended sessions and changed users that are held in memory; beyond it each request asks the database. */
  maxEntries: Type.Integer({ minimum: 1, maximum: 10_000_000, default: 200_000 }),
  /** Milliseconds between two heartbeats, and that one may take to come back. */
  heartbeatMs: Type.Integer({ minimum: 50, maximum: 60_000, default: 5000 }),
  /** Milliseconds between two full readings. */
  rereadMs: Type.Integer({ minimum: 100, maximum: 3_600_000, default: 30_000 })
}, { additionalProperties: false })

/** Where it is known that a session ended before its tokens: exactly one of `url` and `database`. */
const RevocationsOptionsSchema = Type.Object({
  /** `/.well-known/revocations.json` of the issuer. */
  url: Type.Optional(Url()),
  database: Type.Optional(DatabaseOptionsSchema),
  /** Milliseconds between two readings of the URL. */
  intervalMs: Type.Integer({ minimum: 50, maximum: 3_600_000, default: 5000 }),
  /** Seconds for which nothing new may be heard, more than the interval; beyond it 503. */
  maxStalenessSeconds: Type.Integer({ minimum: 1, maximum: 86_400, default: 900 }),
  /** Milliseconds that one reading of the URL may take. */
  timeoutMs: Type.Integer({ minimum: 10, maximum: 60_000, default: 5000 }),
  /** Bytes that its answer may have; a session takes 25. */
  maxBytes: Type.Integer({ minimum: 256, maximum: 268_435_456, default: 16_777_216 })
}, { additionalProperties: false })

/** Options of the verify plugin: exactly one of `jwksUrl` and `keys`. */
export const VerifyOptionsSchema = Type.Object({
  /** The claim `iss` of the tokens that are taken. */
  issuer: Type.String({ minLength: 1 }),
  /** Their claim `aud`. */
  audience: Type.String({ minLength: 1 }),
  /** Where the issuer publishes its keys; `https`, unless the network between is yours alone. */
  jwksUrl: Type.Optional(Url()),
  /** A JWK set (RFC 7517, 5) in its place. What is in it and no usable public key is passed over. */
  keys: Type.Optional(Type.Object({ keys: Type.Array(Type.Unknown()) })),
  jwks: JwksOptionsSchema,
  /** Without it a token is taken until it expires, whatever happened to its session. */
  revocations: Type.Optional(RevocationsOptionsSchema),
  /** Names of what the app and its requests are decorated with; two verifiers in one scope need two sets. */
  decorators: Type.Object({
    /** The hook that wants a token. */
    authenticate: Name('authenticate'),
    /** Makes hooks that want a role. */
    requireRole: Name('requireRole'),
    /** Of a request: whom its token speaks for. */
    auth: Name('auth'),
    /** What the hooks stand on, for websockets, readiness and the like. */
    verifier: Name('authServeVerifier')
  }, { additionalProperties: false, default: {} }),
  /** First part of the names of its circuit breakers: `<name>-jwks`, `<name>-revocations`, `<name>-database`. */
  name: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,40}$', default: 'verify' }),
  /** Name under which a breaker plugin decorated the instance; without it the verifier has breakers of its own. */
  breakersDecorator: Type.Optional(Type.String({ minLength: 1 })),
  /** Verified tokens that are remembered, so that each signature is computed once; 0 remembers none. */
  tokenCacheSize: Type.Integer({ minimum: 0, maximum: 10_000_000, default: 10_000 }),
  /** Characters of the longest token that is looked at. */
  maxTokenLength: Type.Integer({ minimum: 256, maximum: 65_536, default: 8192 })
}, { additionalProperties: false })

export type VerifySettings = Static<typeof VerifyOptionsSchema>
export type VerifyDatabaseSettings = Static<typeof DatabaseOptionsSchema>

type Nested = 'jwks' | 'revocations' | 'decorators'
type Needed = 'issuer' | 'audience'

/** What a host gives the verify plugin; everything else has a default. */
export type VerifyOptions = Pick<VerifySettings, Needed> & Partial<Omit<VerifySettings, Needed | Nested>> & {
  jwks?: Partial<VerifySettings['jwks']>
  decorators?: Partial<VerifySettings['decorators']>
  revocations?: Partial<Omit<Static<typeof RevocationsOptionsSchema>, 'database'>> & { database?: Pick<VerifyDatabaseSettings, 'url'> & Partial<VerifyDatabaseSettings> }
}

/** What the schema cannot say. Throws TypeError. */
export function checkSources ({ jwksUrl, keys, revocations }: VerifySettings): void {
  const problems: string[] = []
  if ((jwksUrl === undefined) === (keys === undefined)) problems.push('/: give jwksUrl or keys, exactly one')
  if (revocations !== undefined && (revocations.url === undefined) === (revocations.database === undefined)) problems.push('/revocations: give url or database, exactly one')
  if (revocations?.url !== undefined && revocations.maxStalenessSeconds * 1000 <= revocations.intervalMs) problems.push('/revocations/maxStalenessSeconds: give more than intervalMs')
  for (const [path, url] of Object.entries({ '/jwksUrl': jwksUrl, '/revocations/url': revocations?.url })) {
    if (url === undefined) continue
    if (!URL.canParse(url)) problems.push(`${path}: it is no URL`)
    else if (new URL(url).username !== '' || new URL(url).password !== '') problems.push(`${path}: a name and password in it would not be sent`)
  }
  if (problems.length > 0) throw new TypeError(`auth-serve verify: invalid options: ${problems.join('; ')}`)
}
