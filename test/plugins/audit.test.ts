import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { sql as query } from 'drizzle-orm'
import t, { type Test } from 'tap'
import { sealBatch } from '../../src/audit/seal.ts'
import { verifyTrail, type AuditProblem } from '../../src/audit/verify.ts'
import { createAuditSealStore } from '../../src/db/audit-seals.ts'
import { createSinglePool } from '../../src/db/pool.ts'
import { createSecrets } from '../../src/keys/secrets.ts'
import { createTestApp, testSecret } from '../helpers/app.ts'
import { command } from '../helpers/command.ts'
import { connect, createTestDatabase } from '../helpers/database.ts'
import { openStores } from '../helpers/keys.ts'
import { goodPassword, newEmail, post, signUp } from '../helpers/people.ts'
import { tcpUrlOf } from '../helpers/proxy.ts'
import { temporaryFolder } from '../helpers/service.ts'
import { until } from '../helpers/until.ts'

const secrets = createSecrets([testSecret])
const otherSecret = 'another-secret-of-the-test-suite-that-is-long-enough'
const never = { sealSeconds: 86_400 }

/** A head as it is written, read back. */
function readHead (text: string | null) {
  const [sequence, mac = ''] = (text ?? '').split(':')
  return { sequence: Number(sequence), mac: Buffer.from(mac, 'hex') }
}

/** Undoes what was done to the trail. */
class Undo extends Error {}

async function prepare (t: Test) {
  const location = await createTestDatabase(t)
  const sql = connect(location)
  t.teardown(async () => { await sql.end() })
  const database = openStores(t, location)
  const pool = createSinglePool(location)
  t.teardown(async () => { await pool.close() })
  /** With ids that begin with their time, as the service makes them. */
  const addEvents = async (count: number, at = 'now') => await sql`
    insert into audit_events (id, type, outcome, occurred_at, actor_id, ip_address, details)
    select (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '7' || substr(md5(random()::text), 1, 3) || '8' || substr(md5(random()::text), 1, 15))::uuid,
      'user_updated', 'success', at, gen_random_uuid(), '192.0.2.' || n, jsonb_build_object('n', n)
    from generate_series(1, ${count}::int) n, lateral (select ${at}::text::timestamptz + n * interval '1 millisecond' as at) moment returning id`
  const seal = async (batchSize = 500, by = secrets) => await database.transaction(async stores => await sealBatch(stores, by, batchSize))
  const verify = async ({ by = secrets, expectHead }: { by?: typeof secrets, expectHead?: string | null } = {}, stores: Parameters<typeof verifyTrail>[0]['database'] = database) => {
    const problems: AuditProblem[] = []
    const report = await verifyTrail({ database: stores, secrets: by, expectHead: expectHead === undefined ? undefined : readHead(expectHead), onProblem: problem => { problems.push(problem) } })
    return { report, problems, kinds: problems.map(({ kind, sequence }) => `${kind} ${sequence ?? ''}`.trim()) }
  }
  /** What verification says of a trail that its owner has tampered with, which is then undone. */
  const verifyTampered = async (statements: string[], options: Parameters<typeof verify>[0] = {}) => {
    let found: Awaited<ReturnType<typeof verify>> | undefined
    await pool.transaction(async orm => {
      for (const table of ['audit_events', 'audit_seals']) await orm.execute(query.raw(`alter table ${table} disable trigger user`))
      for (const statement of statements) await orm.execute(query.raw(statement))
      found = await verify(options, { auditSeals: createAuditSealStore(async work => await work(orm)) })
      throw new Undo()
    }).catch(error => { if (!(error instanceof Undo)) throw error })
    if (found === undefined) throw new Error('nothing was verified')
    return found
  }
  return { location, sql, database, addEvents, seal, verify, verifyTampered }
}

const partitionOf = async (sql: ReturnType<typeof connect>): Promise<string> => String((await sql`select 'audit_events_' || to_char(now() at time zone 'UTC', 'YYYY_MM') as name`)[0]?.name)

t.test('the database refuses UPDATE, DELETE and TRUNCATE of the trail, of its months and of its seals', async t => {
  const { sql, addEvents, seal } = await prepare(t)
  await addEvents(1)
  await seal()
  for (const table of ['audit_events', await partitionOf(sql), 'audit_seals']) {
    for (const statement of [`update ${table} set id = id`, `delete from ${table}`, `truncate ${table}`]) {
      await t.rejects(sql.unsafe(statement.replace('set id = id', table === 'audit_seals' ? 'set kind = kind' : 'set type = type')), { code: '42501', message: /is append-only/ }, statement)
    }
  }
  t.equal((await sql`select 1 from audit_events`).length + (await sql`select 1 from audit_seals`).length, 2)
})

t.test('whatever is done to a sealed trail is found and named', async t => {
  const { sql, addEvents, seal, verify, verifyTampered } = await prepare(t)
  t.match(await verify(), { report: { intact: true, seals: 0, events: 0, head: null, unsealed: { count: 0, oldest: null } } }, 'a trail without events')
  await addEvents(7)
  t.match(await verify(), { report: { intact: true, seals: 0, unsealed: { count: 7, oldest: Date } } }, 'the window is stated')
  while ((await seal(3)).more);
  const { report } = await verify()
  t.match(report, { intact: true, seals: 3, events: 7, head: /^3:[0-9a-f]{64}$/, keptSince: null, unsealed: { count: 0 }, problems: 0 })
  const events = await sql<Array<{ id: string, sequence: number }>>`select e.id, s.sequence::int from audit_seals s, unnest(s.event_ids) with ordinality e (id, n) order by s.sequence, e.n`
  const [first, second] = events.map(({ id }) => id)
  const last = events.at(-1)?.id

  const changes = ["type = 'user_deleted'", "outcome = 'failure'", 'actor_id = null', 'target_id = actor_id', 'session_id = actor_id', "request_id = 'x'", "ip_address = '198.51.100.1'", "user_agent = ''", "details = '{\"n\": 1.00}'", 'details = details || \'{"more": null}\'']
  for (const change of changes) {
    const found = await verifyTampered([`update audit_events set ${change} where id = '${first}'`])
    t.match(found, { report: { intact: false, problems: 1 }, problems: [{ kind: 'event-altered', sequence: 1, eventId: first, month: /^\d{4}-\d\d$/ }] }, change)
    t.match(found.problems[0]?.message, new RegExp(`event ${first} of \\d{4}-\\d\\d was altered after seal 1`))
  }
  t.same((await verifyTampered([`update audit_events set occurred_at = occurred_at - interval '1 hour' where id = '${first}'`])).kinds, ['event-missing 1', 'event-added'], 'another time')
  t.match((await verifyTampered([`update audit_events a set ip_address = b.ip_address from audit_events b where a.id in ('${first}', '${second}') and b.id in ('${first}', '${second}') and a.id <> b.id`])).kinds, ['event-altered 1', 'event-altered 1'], 'two swapped')
  t.match((await verifyTampered([`delete from audit_events where id = '${first}'`])).problems, [{ kind: 'event-missing', sequence: 1, eventId: first }])

  const partition = await partitionOf(sql)
  const copyOf = (id: string | undefined, columns: string) => `insert into ${partition} select ${columns}, type, outcome, occurred_at + interval '1 microsecond' * 1000, actor_id, target_id, session_id, request_id, ip_address, user_agent, details from audit_events where id = '${id}'`
  t.match((await verifyTampered([copyOf(first, 'gen_random_uuid()')])).kinds, ['event-added'], 'one more')
  t.match((await verifyTampered([copyOf(first, 'id')])).report, { intact: false }, 'one more with the id of another')
  t.match((await verifyTampered([copyOf(last, 'id')])).kinds, ['event-added'], 'one more with the id of another, outside the time of its seal')

  for (const change of ['until = until + interval \'1 second\'', 'sealed_at = now() - interval \'1 day\'', 'event_ids = event_ids[1:2]', `event_ids = event_ids || '{${last}}'`, "event_macs = event_macs || '\\x00'", "mac = '\\x00'", "kind = 'retention'"]) {
    const { report, kinds } = await verifyTampered([`update audit_seals set ${change} where sequence = 2`])
    t.notOk(report.intact, change)
    t.ok(kinds.includes('seal-altered 2'), change)
  }
  t.same((await verifyTampered(['delete from audit_seals where sequence = 2'])).kinds, ['seal-missing 2', ...Array(3).fill('event-added')], 'a seal removed')
  t.ok((await verifyTampered(['delete from audit_seals where sequence = 1'])).kinds.includes('seal-missing 1'), 'the first one removed')
  t.same((await verifyTampered(['update audit_seals set sequence = case sequence when 1 then 12 else 11 end where sequence < 3', 'update audit_seals set sequence = sequence - 10 where sequence > 10'])).kinds, ['seal-altered 1', 'seal-altered 2', 'seal-altered 3'], 'two seals swapped')
  t.match((await verifyTampered(["update audit_seals set key_id = 'other' where sequence = 3"])).kinds, ['seal-unverifiable 3'])

  const cut = ['delete from audit_seals where sequence = 3', `delete from audit_events where id = '${last}'`]
  t.match((await verifyTampered(cut)).report, { intact: true, head: /^2:/ }, 'that the end was cut off the trail itself cannot tell')
  t.match(await verifyTampered(cut, { expectHead: report.head }), { report: { intact: false }, problems: [{ kind: 'head-missing', sequence: 3, message: /was cut off/ }] })
  await addEvents(1)
  await seal()
  t.match(await verify({ expectHead: report.head }), { report: { intact: true, head: /^4:/ } }, 'a head of before is held still')
  t.match((await verify({ expectHead: report.head?.replace(/.$/, end => end === '0' ? '1' : '0') })).kinds, ['head-missing 3'])
})

t.test('an event that is removed before it is sealed leaves a trace if its place in the queue does', async t => {
  const { sql, addEvents, seal, verify } = await prepare(t)
  const [event] = await addEvents(2)
  await sql`alter table audit_events disable trigger user`
  await sql`delete from audit_events where id = ${String(event?.id)}`
  await sql`alter table audit_events enable trigger user`
  t.match((await verify()).problems, [{ kind: 'event-missing', eventId: event?.id, message: /waits to be sealed/ }])
  t.match(await seal(), { missing: 1 })
  t.match((await verify()).problems, [{ kind: 'event-missing', eventId: event?.id, sequence: 1 }], 'and the chain goes on')
})

t.test('AUTH_SECRET is rolled: seals of before are checked for as long as their entry is configured', async t => {
  const { addEvents, seal, verify } = await prepare(t)
  const rolling = [[testSecret, otherSecret], [otherSecret, testSecret], [otherSecret]].map(values => createSecrets(values))
  for (const by of rolling) {
    await addEvents(1)
    await seal(500, by)
  }
  t.match((await verify({ by: rolling[1] })).report, { intact: true, seals: 3 })
  t.match(await verify({ by: rolling[2] }), { report: { intact: false }, problems: [{ kind: 'seal-unverifiable', sequence: 1, message: /AUTH_SECRET lacks the entry/ }] }, 'what cannot be checked is not called fine')
  t.match((await verify({ by: createSecrets(['a-secret-that-somebody-made-up-to-forge-the-trail']) })).kinds, ['seal-unverifiable 1', 'seal-unverifiable 2', 'seal-unverifiable 3'])
})

t.test('two instances seal at once: each event is in one seal, and the log says where the chain ends', async t => {
  const { location, sql, database, addEvents, verify } = await prepare(t)
  const apis = [await createTestApp(t, { audit: never }, location), await createTestApp(t, { audit: never }, location)] as const
  for (let n = 0; n < 3; n++) {
    await addEvents(700)
    await Promise.all([...apis, ...apis].map(async ({ scope }) => { await scope.authServeAudit.sealing.run() }))
  }
  for (const { scope } of apis) await scope.authServeAudit.sealing.run()
  const [counts] = await sql`select count(*)::int as n, count(distinct id)::int as different from audit_seals, unnest(event_ids) sealed (id)`
  t.same({ ...counts }, { n: 2100, different: 2100 })
  const [{ scope }] = apis
  await addEvents(1)
  await database.transaction(async stores => {
    t.ok(await stores.locks.tryTake('audit-sealing'))
    await sealBatch(stores, secrets, 500)
    await scope.authServeAudit.sealing.run()
    t.ok(await signUp(apis[0]), 'nobody waits for a seal that is being made')
  })
  await scope.authServeAudit.sealing.run()
  const { report } = await verify()
  t.match(report, { intact: true, events: 2104, unsealed: { count: 0 } })
  const heads = apis.flatMap(({ log }) => log.lines()).flatMap(({ auditHead }) => typeof auditHead === 'string' ? [auditHead] : [])
  t.ok(heads.includes(String(report.head)))
})

t.test('an instance tells when the chain that it made was cut off and what it sealed was put back into the queue', async t => {
  const { location, sql, addEvents, verify } = await prepare(t)
  const { scope, log } = await createTestApp(t, { audit: never }, location)
  const round = async () => {
    await addEvents(1)
    await scope.authServeAudit.sealing.run()
  }
  await round()
  await round()
  const wasCut = () => log.lines().filter(({ level, auditHead, msg }) => level === 'error' && auditHead !== undefined && /was cut off/.test(String(msg))).length
  t.equal(wasCut(), 0)
  await sql.unsafe(`alter table audit_seals disable trigger user; delete from audit_seals where sequence = 2; alter table audit_seals enable trigger user;
    insert into audit_unsealed select id, occurred_at from audit_events order by id desc limit 1`)
  await round()
  t.ok((await verify()).report.intact, 'the trail itself cannot tell')
  t.equal(wasCut(), 1)
  await round()
  t.equal(wasCut(), 1, 'once')
})

t.test('events that are committed after later ones were sealed are sealed then', async t => {
  const { sql, addEvents, seal, verify } = await prepare(t)
  const late = await sql.reserve()
  await late`begin`
  await late`insert into audit_events (id, type, outcome) values (gen_random_uuid(), 'user_deleted', 'success')`
  await addEvents(2)
  await seal()
  t.match((await verify()).report, { intact: true, events: 2, unsealed: { count: 0 } })
  await late`commit`
  late.release()
  t.match((await verify()).report, { intact: true, events: 2, unsealed: { count: 1 } })
  await seal()
  t.match((await verify()).report, { intact: true, seals: 2, events: 3, unsealed: { count: 0 } })
})

t.test('retention drops whole months that are sealed and over, and verification knows', async t => {
  const { location, sql, addEvents, seal, verify, verifyTampered } = await prepare(t)
  const monthsOf = async () => (await sql`select relname from pg_class where relname like 'audit\\_events\\_202_\\___' and relname < 'audit_events_2026' order by 1`).map(row => row.relname)
  for (const moment of ['2024-01-31T23:59:00Z', '2024-02-15T12:00:00Z']) {
    await sql`select auth_serve_add_audit_partition(${moment}::text::timestamptz)`
    await addEvents(2, moment)
  }
  await addEvents(2)
  const api = await createTestApp(t, { audit: { ...never, retentionDays: 30 } }, location)
  await api.scope.authServeMaintenance.run()
  t.same(await monthsOf(), ['audit_events_2024_01', 'audit_events_2024_02'], 'nothing is dropped that is not sealed')
  await api.scope.authServeAudit.sealing.run()
  t.match((await verify()).report, { intact: true, seals: 3, events: 6 }, 'a seal is about one month')
  t.same((await verifyTampered(['drop table audit_events_2024_01'])).kinds, ['event-missing 1', 'event-missing 1'], 'a month that anything else dropped is missing')

  let others = 0
  api.scope.authServeMaintenance.add({
    name: 'one-of-the-jobs-that-follow',
    async run () {
      others++
      return false
    }
  })
  const reader = await sql.reserve()
  await reader`begin`
  await reader`select count(*) from audit_events_2024_01`
  const began = performance.now()
  const [, person] = await Promise.all([api.scope.authServeMaintenance.run(), signUp(api)])
  t.ok(person.id && performance.now() - began < 3000, 'whoever writes events hardly waits')
  t.same(await monthsOf(), ['audit_events_2024_01', 'audit_events_2024_02'], 'nor is a month that somebody reads')
  t.equal(others, 1, 'which keeps no other job from its work')
  await reader`commit`
  reader.release()
  await api.scope.authServeMaintenance.run()
  t.same(await monthsOf(), [])
  t.same([...await sql`select kind, until::text from audit_seals where kind = 'retention' order by sequence`].map(({ kind, until }) => [kind, new Date(until).toISOString()]), [['retention', '2024-02-01T00:00:00.000Z'], ['retention', '2024-03-01T00:00:00.000Z']])
  t.same((await sql`select details->>'month' as month from audit_events where details->>'action' = 'audit_month_dropped' order by id`).map(({ month }) => month), ['2024-01', '2024-02'])
  const dropped = await verify()
  t.match(dropped, { problems: [], report: { intact: true, seals: 5, keptSince: new Date('2024-03-01T00:00:00Z') } })
  t.match((await verifyTampered(["update audit_seals set until = now() where kind = 'retention'", 'delete from audit_events'])).kinds, ['seal-altered 4', 'seal-altered 5'], 'retention cannot be made up')
  const outside = await verifyTampered(["insert into audit_seals (sequence, kind, until, event_macs, key_id, mac) select n, 'retention', now(), '', 'x', '' from generate_series(-1, 0) n", 'delete from audit_events'])
  t.same(outside.kinds.filter(kind => kind.endsWith('3')), ['event-missing 3', 'event-missing 3'], 'nor by a seal that stands before the chain, where nobody checks it')
  const forged = ["select auth_serve_add_audit_partition('2024-01-15')", "insert into audit_events_2024_01 (id, type, outcome, occurred_at) select event_ids[1], 'user_deleted', 'success', until from audit_seals where sequence = 1"]
  t.match((await verifyTampered(forged)).problems, [{ kind: 'event-added', message: /that month was dropped/ }])
  await seal()
  t.ok((await verify({ expectHead: dropped.report.head })).report.intact)
})

t.test('a month without a place is 503 until it is made, which a start does before the first request', async t => {
  const { location, sql } = await prepare(t)
  const api = await createTestApp(t, { audit: never }, location)
  const dropMonths = async () => { await sql.unsafe(`drop table ${(await sql`select inhrelid::regclass::text as name from pg_inherits where inhparent = 'audit_events'::regclass`).map(row => row.name).join(', ')}`) }
  await dropMonths()
  const register = async (email: string) => await post(api, '/auth/register', { email, password: goodPassword })
  const email = newEmail()
  const refused = await register(email)
  t.match(refused.json(), { status: 503, code: 'SERVICE_UNAVAILABLE' })
  t.equal(refused.headers['retry-after'], '1')
  t.equal((await sql`select 1 from users`).length, 0, 'nothing changes without its event')
  await api.scope.authServeMaintenance.run()
  t.equal((await register(email)).statusCode, 201)
  t.equal((await sql`select 1 from pg_inherits where inhparent = 'audit_events'::regclass`).length, 8, 'and those of seven more months')
  await dropMonths()
  await Promise.all([0, 1].map(async () => { await createTestApp(t, { audit: never }, location) }))
  t.equal((await register(newEmail())).statusCode, 201)
  await sql.begin(async other => {
    await other`insert into audit_events (id, type, outcome) values (gen_random_uuid(), 'user_deleted', 'success')`
    await sql`set lock_timeout = '2s'`
    await sql`select auth_serve_add_audit_partition('2100-01-01')`
  })
})

t.test('refusals come into the trail after the answer, alike ones as one, and not without bound', async t => {
  const api = await createTestApp(t, { audit: never })
  const sql = connect(api.database)
  t.teardown(async () => { await sql.end() })
  const person = await signUp(api)
  const ask = async (url: string) => await api.request({ method: 'GET', url: `/api/v1${url}`, headers: { ...person.authorization, 'user-agent': 'curious/1' } })
  for (const url of ['/admin/keys', '/admin/events', '/admin/keys']) t.equal((await ask(url)).statusCode, 403)
  await until('they are written', async () => (await sql`select 1 from audit_events where type = 'authz_fail'`).length === 2)
  const rows = await sql`select outcome, actor_id, session_id, ip_address, user_agent, request_id is not null as has_request, details from audit_events where type = 'authz_fail' order by details->>'route' desc`
  t.match([...rows], [
    { outcome: 'failure', actor_id: person.id, session_id: person.sessionId, ip_address: '127.0.0.1', user_agent: 'curious/1', has_request: true, details: { method: 'GET', route: '/api/v1/admin/keys', count: 2 } },
    { details: { route: '/api/v1/admin/events', count: 1 } }
  ])

  const { refusals } = api.scope.authServeAudit
  const about = { actorId: person.id, method: 'GET', route: '/admin' }
  const context = { requestId: null, ipAddress: null, userAgent: null }
  for (let n = 0; n < 205; n++) refusals.note({ ...about, sessionId: `00000000-0000-7000-8000-${String(n).padStart(12, '0')}` }, context)
  await refusals.flush()
  t.equal((await sql`select 1 from audit_events where type = 'authz_fail'`).length, 202)
  t.match(api.log.lines().find(line => line.dropped !== undefined), { level: 'warn', dropped: 5 })

  await sql`alter table audit_events rename to audit_events_away`
  refusals.note({ ...about, sessionId: person.sessionId }, context)
  await refusals.flush()
  await sql`alter table audit_events_away rename to audit_events`
  t.match(api.log.lines().findLast(line => line.dropped !== undefined), { dropped: 1 })
})

t.test('the service that stands alone records its starts and stops', async t => {
  const location = await createTestDatabase(t)
  const sql = connect(location)
  t.teardown(async () => { await sql.end() })
  const typesOf = async () => (await sql`select type from audit_events order by id`).map(({ type }) => type)
  const { app, scope } = await createTestApp(t, { audit: { ...never, lifecycle: true } }, location)
  await until('the start is recorded', async () => (await typesOf()).length > 0)
  await scope.authServeMaintenance.run()
  await app.close()
  t.same(await typesOf(), ['sys_startup', 'sys_shutdown'])
})

t.test('migrate up makes the months that come, also where there is nothing to apply', async t => {
  const { location, sql } = await prepare(t)
  const months = async () => (await sql`select inhrelid::regclass::text as name from pg_inherits where inhparent = 'audit_events'::regclass order by 1`).map(({ name }) => name)
  const before = await months()
  await sql.unsafe(`drop table ${before.slice(-6).join(', ')}`)
  t.match(await command(['migrate', 'up'], { DATABASE_URL: await tcpUrlOf(t, location) }), { code: 0, stdout: 'nothing to apply\n' })
  t.same((await months()).slice(0, before.length), before)
})

t.test('audit verify and export, as an operator runs them', async t => {
  const { location, sql, addEvents, seal } = await prepare(t)
  const env = { DATABASE_URL: await tcpUrlOf(t, location), AUTH_SECRET: testSecret }
  const audit = async (args: string[]) => await command(['audit', ...args], env)
  const added = (await addEvents(501)).map(({ id }) => String(id))
  await seal()
  const verified = await audit(['verify'])
  t.match(verified, { code: 0, stderr: '', stdout: /^checked: 1 seals, 500 events\nnot sealed yet: 1 events, the oldest of \S+Z\nhead: 1:[0-9a-f]{64}\nintact\n$/ })
  const head = /head: (\S+)/.exec(verified.stdout)?.[1] ?? ''
  t.match(await audit(['verify', '--expect-head', head, '--json']), { code: 0, stdout: /^\{"report":\{.*"intact":true.*\}\}\n$/ })
  t.match(await audit(['verify', '--expect-head', head.replace(/^1/, '2')]), { code: 1, stdout: /the chain does not hold 2:[^\n]+\n(?:.*\n)+NOT INTACT: 1 problem\n$/ })

  const folder = await temporaryFolder(t)
  const file = join(folder, 'trail.ndjson')
  t.match(await audit(['export', file]), { code: 0, stdout: '', stderr: '' })
  const lines = (await readFile(file, 'utf8')).trimEnd().split('\n').map(line => JSON.parse(line))
  t.same(lines.map(({ id }) => id).sort(), added.sort(), 'more than one page, each event once')
  t.same(lines.map(({ occurredAt }) => occurredAt), lines.map(({ occurredAt }) => occurredAt).sort(), 'the oldest first')
  t.equal((await stat(file)).mode & 0o777, 0o600)
  const [one] = lines
  const filtered = await audit(['export', '--user', one.actorId, '--type', 'user_updated', '--from', one.occurredAt, '--to', '2100-01-01'])
  t.same(JSON.parse(filtered.stdout), one)
  t.match(await audit(['export', '-', '--to', one.occurredAt]), { code: 0, stdout: '' })
  await sql`alter table audit_events disable trigger user`
  await sql`update audit_events set ip_address = null where id = ${String(added[0])}`
  t.match(await audit(['verify', '--json']), { code: 1 })

  for (const args of [['verify', '--expect-head', 'x'], ['export', '--from', 'yesterday'], ['export', '--user', 'ada'], ['export', '--type', 'tea'], ['export', '--from', '2026-01-02', '--to', '2026-01-01'], ['export', file]]) {
    t.match(await audit(args), { code: 2, stdout: '', stderr: /^error: / }, args.join(' '))
  }
})
