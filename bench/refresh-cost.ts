import { randomBytes } from 'node:crypto'
import { eq, sql } from 'drizzle-orm'
import { v7 as uuidv7 } from 'uuid'
import { createBreakers } from '../src/breakers/breakers.ts'
import { judgeDatabaseError } from '../src/db/failures.ts'
import { migrateUp } from '../src/db/migrations.ts'
import { createPool, createSinglePool, type Pool } from '../src/db/pool.ts'
import { prepared } from '../src/db/statement.ts'
import { createDatabase, type Database } from '../src/db/stores.ts'
import { sessions } from '../src/db/tables.ts'
import { createAccessTokenSigner, type AccessTokenSubject } from '../src/keys/access-tokens.ts'
import { generateKeys } from '../src/keys/algorithms.ts'
import { createSecrets } from '../src/keys/secrets.ts'
import { createIssueTokens } from '../src/sessions/issue-tokens.ts'
import { createRefresh } from '../src/sessions/refresh.ts'
import { createRefreshSecret, formatRefreshToken, hashRefreshSecret } from '../src/sessions/refresh-token.ts'
import type { Bench } from './bench.ts'
import { rowOf, type Section } from './report.ts'
import { interleave } from './rounds.ts'

interface OpenSession { id: string, n: number, secret: Buffer, refreshHash: Buffer, token: string }
interface Turn { perSecond: number, cpuMsPerCall: number }
/** Does something once to a session that nobody else has at that moment. */
type Call = (session: OpenSession) => Promise<void>

/** Sessions of each worker, so that no row is changed by two at a time. */
const sessionsPerWorker = 20
const lives = { accessTtlSeconds: 900, idleTtlSeconds: 1_209_600, absoluteTtlSeconds: 2_592_000 }
/** Nothing is answered from a grace here, and without one a session may be refreshed as often as the machine can. */
const policy = { ...lives, graceSeconds: 0 }
const nobody = { requestId: null, ipAddress: '192.0.2.1', userAgent: 'bench' }

/**
 * The least that a refresh can be: one prepared UPDATE by primary key that moves the idle expiry on. Prepared once per
 * connection, so that neither drizzle nor PostgreSQL reads it anew.
 */
function createBareUpdate (pool: Pool): Call {
  const statement = prepared(orm => orm.update(sessions)
    .set({ lastUsedAt: sql`now()`, idleExpiresAt: sql`now() + interval '14 days'` })
    .where(eq(sessions.id, sql.placeholder('id')))
    .returning({ userId: sessions.userId, counter: sessions.refreshCounter }).prepare('bare'))
  return async ({ id }) => {
    const [row] = await pool.run(async orm => await statement(orm).execute({ id }))
    if (row === undefined) throw new Error('the session is gone')
  }
}

async function openSessions (database: Database, count: number, format: (session: Pick<OpenSession, 'id' | 'n' | 'secret'>) => string): Promise<OpenSession[]> {
  const userId = uuidv7()
  const [email, passwordHash] = ['bench@example.com', 'none']
  await database.users.insert({ id: userId, email, emailCanonical: email, passwordHash, roles: ['user'] })
  const opened: OpenSession[] = []
  for (let i = 0; i < count; i++) {
    const [id, secret] = [uuidv7(), createRefreshSecret()]
    const refreshHash = hashRefreshSecret(secret)
    await database.sessions.open({ ...lives, ...nobody, id, userId, credentialVersion: 1, refreshHash })
    opened.push({ id, n: 0, secret, refreshHash, token: format({ id, n: 0, secret }) })
  }
  return opened
}

/** Lets each of some workers call without a pause for some seconds. */
async function runWorkers (call: Call, workers: readonly OpenSession[][], seconds: number): Promise<Turn> {
  const [begin, cpuBefore] = [performance.now(), process.cpuUsage()]
  let calls = 0
  await Promise.all(workers.map(async own => {
    for (let i = 0; performance.now() - begin < seconds * 1000; i++, calls++) {
      const session = own[i % own.length]
      if (session !== undefined) await call(session)
    }
  }))
  const { user, system } = process.cpuUsage(cpuBefore)
  return { perSecond: calls / (performance.now() - begin) * 1000, cpuMsPerCall: (user + system) / 1000 / calls }
}

/** Measures a refresh, without HTTP, against a bare UPDATE over the same pool, in this process. */
export async function measureRefreshCost ({ database: server, options, note }: Bench): Promise<Section[]> {
  note('refresh against a bare UPDATE')
  const location = await server.location('refresh')
  const migrations = createSinglePool(location)
  await migrateUp(migrations)
  await migrations.close()
  const pool = createPool({ location, max: 10, queue: 500, acquireTimeoutMs: 2000, statementTimeoutMs: 5000, connectTimeoutSeconds: 3, preparedStatements: true })
  const guard = createBreakers({ onTransition: () => {} }).policy('database', { timeoutMs: 0, judge: judgeDatabaseError })
  const database = createDatabase(pool, guard)
  const secrets = createSecrets([randomBytes(32).toString('hex')])
  const sign = createAccessTokenSigner({ kid: 'bench', algorithm: 'ES256', ...await generateKeys('ES256') }, { issuer: 'https://bench.example.com', audience: 'bench', clientId: 'bench' })
  const keyRing = { sign: async (subject: AccessTokenSubject) => sign(subject), signingKid: async () => 'bench' }
  const refresh = createRefresh({
    ...policy,
    database,
    audit: { announce: async () => {} },
    keyRing,
    secrets,
    issueTokens: createIssueTokens({ keyRing, secrets }),
    log: () => {},
    orderMail: async () => {},
    onNoticeFailed: () => {}
  })

  const format = ({ id, n, secret }: Pick<OpenSession, 'id' | 'n' | 'secret'>): string => formatRefreshToken(secrets, { sessionId: id, n, secret })
  const all = await openSessions(database, options.connections * sessionsPerWorker, format)
  const workers = Array.from({ length: options.connections }, (_, worker) => all.slice(worker * sessionsPerWorker, (worker + 1) * sessionsPerWorker))
  const rotate: Call = async session => {
    const row = await database.sessions.rotate({ ...nobody, sessionId: session.id, n: session.n, refreshHash: session.refreshHash }, policy)
    if (row?.counter !== ++session.n) throw new Error('the session was not rotated')
    session.token = ''
  }
  const refreshOnce: Call = async session => {
    const { refreshToken } = await refresh(session.token === '' ? format(session) : session.token, nobody)
    session.token = refreshToken
    session.n++
  }
  const [bare = [], rotated = [], refreshed = []] = await interleave([createBareUpdate(pool), rotate, refreshOnce], options.rounds, async (call, counted) =>
    await runWorkers(call, workers, counted ? options.seconds : 1))
  await pool.close()
  const rows = ([['the statement alone (sessions.rotate)', rotated], ['the refresh with both tokens (createRefresh)', refreshed]] as const).flatMap(([measure, turns]) => [
    rowOf(measure, 'calls/s', '', turns.map(turn => turn.perSecond), bare.map(turn => turn.perSecond)),
    rowOf(measure, 'CPU ms/call', '', turns.map(turn => turn.cpuMsPerCall), bare.map(turn => turn.cpuMsPerCall))
  ])
  return [{ title: 'Refresh against a bare UPDATE ... RETURNING over the same pool', against: ['refresh', 'bare UPDATE'], rows }]
}
