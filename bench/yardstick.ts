import { createHash, generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto'
import fastifyJwt from '@fastify/jwt'
import Fastify from 'fastify'
import postgres from 'postgres'

/**
 * The yardstick: the least that one would write by hand. The same paths, hash parameters, algorithm of tokens and
 * number of connections as the service has, and nothing else: no validation, logging, lock, audit or revocation.
 */
interface HashEngine {
  hash (password: string, options: { memoryCost: number, timeCost: number, parallelism: number }): Promise<string>
  verify (hash: string, password: string): Promise<boolean>
}
interface User { id: string, email: string, password_hash: string, roles: string[], created_at: Date, updated_at: Date }

const { DATABASE_URL = '', PORT = '0', HASH_PACKAGE = 'argon2' } = process.env
const engine: HashEngine = await import(HASH_PACKAGE)
const sql = postgres(DATABASE_URL, { max: 10, onnotice: () => {} })
await sql`create table if not exists users (
  id uuid primary key, email text not null unique, password_hash text not null, roles text[] not null default '{user}',
  created_at timestamptz not null default now(), updated_at timestamptz not null default now())`
await sql`create table if not exists sessions (
  id uuid primary key, user_id uuid not null references users (id), token_hash bytea not null unique,
  expires_at timestamptz not null default now() + interval '30 days')`

const { privateKey, publicKey } = generateKeyPairSync('ec', {
  namedCurve: 'P-256',
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' }
})
const app = Fastify()
await app.register(fastifyJwt, {
  secret: { private: privateKey, public: publicKey },
  sign: { algorithm: 'ES256', expiresIn: '15m' },
  verify: { algorithms: ['ES256'] }
})

const digest = (token: string): Buffer => createHash('sha256').update(token).digest()
const toUser = ({ password_hash: _, ...user }: User) => user

app.get('/readiness', async () => await sql`select 1`)

app.post<{ Body: { email: string, password: string } }>('/api/v1/auth/register', async (request, reply) => {
  const { email, password } = request.body
  const hash = await engine.hash(password, { memoryCost: 19456, timeCost: 2, parallelism: 1 })
  const [user] = await sql<[User]>`insert into users (id, email, password_hash) values (${randomUUID()}, ${email}, ${hash}) returning *`
  return await reply.code(201).send(toUser(user))
})

app.post<{ Body: { email: string, password: string } }>('/api/v1/auth/login', async (request, reply) => {
  const [user] = await sql<User[]>`select * from users where email = ${request.body.email}`
  if (user === undefined || !await engine.verify(user.password_hash, request.body.password)) return await reply.code(401).send({})
  const sessionId = randomUUID()
  const refreshToken = randomBytes(32).toString('base64url')
  await sql`insert into sessions (id, user_id, token_hash) values (${sessionId}, ${user.id}, ${digest(refreshToken)})`
  return { accessToken: app.jwt.sign({ sub: user.id, sid: sessionId, roles: user.roles }), refreshToken, user: toUser(user) }
})

app.post<{ Body: { refreshToken: string } }>('/api/v1/auth/refresh', async (request, reply) => {
  const refreshToken = randomBytes(32).toString('base64url')
  const [session] = await sql<{ id: string, user_id: string }[]>`
    update sessions set token_hash = ${digest(refreshToken)}
    where token_hash = ${digest(request.body.refreshToken)} and expires_at > now() returning id, user_id`
  if (session === undefined) return await reply.code(401).send({})
  return { accessToken: app.jwt.sign({ sub: session.user_id, sid: session.id }), refreshToken }
})

app.get('/api/v1/users/me', async (request, reply) => {
  const { sub } = await request.jwtVerify<{ sub: string }>()
  const [user] = await sql<User[]>`select * from users where id = ${sub}`
  return user === undefined ? await reply.code(401).send({}) : toUser(user)
})

await app.listen({ host: '127.0.0.1', port: Number(PORT) })
process.once('SIGTERM', () => { app.close().then(async () => { await sql.end() }) })
