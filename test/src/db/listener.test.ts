import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { openListener } from '../../../src/db/listener.ts'
import { connect, createTestDatabase } from '../../helpers/database.ts'
import { freePort } from '../../helpers/service.ts'
import { until } from '../../helpers/until.ts'

const forever = new AbortController().signal
const deaf = { onNotification: () => {}, onLost: () => {} }
const location = (port: number) => ({ host: '127.0.0.1', port, database: 'd', username: 'u', password: 'p' })

async function serve (t: Test, onConnection: (socket: Socket) => void): Promise<number> {
  const server: Server = createServer(onConnection).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const sockets = new Set<Socket>()
  server.on('connection', socket => { sockets.add(socket) })
  t.teardown(() => { server.close(); for (const socket of sockets) socket.destroy() })
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** Lets everybody in (PostgreSQL's messages AuthenticationOk and ReadyForQuery), then says nothing any more. */
function sayWelcomeOnly (socket: Socket): void {
  socket.once('data', () => { socket.write(Buffer.from([82, 0, 0, 0, 8, 0, 0, 0, 0, 90, 0, 0, 0, 5, 73])) })
}

t.test('it hears what is told on its channel, until it is closed', async t => {
  const database = await createTestDatabase(t)
  const sql = connect(database)
  t.teardown(async () => { await sql.end() })
  const heard: string[] = []
  let lost = 0
  const listener = await openListener({ location: database, connectTimeoutSeconds: 3, signal: forever, onNotification: payload => { heard.push(payload) }, onLost: () => { lost++ } })
  await sql`select pg_notify('another', 'x'), pg_notify('auth_serve', 'one'), pg_notify('auth_serve', 'two')`
  await until('it is heard', () => heard.length === 2)
  t.same(heard, ['one', 'two'])
  listener.close()
  await until('it is gone', async () => (await sql`select 1 from pg_stat_activity where application_name = 'auth-serve listener' and datname = current_database()`).length === 0)
  t.equal(lost, 0, 'who closes it needs not be told')
})

t.test('a connection that the server ends is told once, and not opened again', async t => {
  const database = await createTestDatabase(t)
  const sql = connect(database)
  t.teardown(async () => { await sql.end() })
  let lost = 0
  await openListener({ location: database, connectTimeoutSeconds: 3, signal: forever, onNotification: () => {}, onLost: () => { lost++ } })
  await sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'auth-serve listener' and datname = current_database()`
  await until('it is told', () => lost > 0)
  t.equal(lost, 1)
  t.equal((await sql`select 1 from pg_stat_activity where application_name = 'auth-serve listener' and datname = current_database()`).length, 0)
})

t.test('a server that cannot be used is given up in time', async t => {
  const cases = {
    'nobody is there': await freePort(),
    'it says nothing': await serve(t, () => {}),
    'it hangs up without a word': await serve(t, socket => { socket.end() }),
    'it resets every connection': await serve(t, socket => { socket.resetAndDestroy() }),
    'it lets one in and then says nothing': await serve(t, sayWelcomeOnly)
  }
  await Promise.all(Object.entries(cases).map(async ([name, port]) => {
    const began = performance.now()
    await t.rejects(openListener({ ...deaf, location: location(port), connectTimeoutSeconds: 0.2, signal: forever }), name)
    t.ok(performance.now() - began < 5000, `${name}: ${performance.now() - began} ms`)
  }))
})

t.test('who wants to stop does not wait for it', async t => {
  for (const onConnection of [() => {}, sayWelcomeOnly]) {
    const port = await serve(t, onConnection)
    const stop = new AbortController()
    const opening = t.rejects(openListener({ ...deaf, location: location(port), connectTimeoutSeconds: 60, signal: stop.signal }))
    setImmediate(() => { stop.abort() })
    await opening
  }
})
