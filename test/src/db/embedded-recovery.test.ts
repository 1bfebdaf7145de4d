import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../../src/db/embedded/index.ts'
import { boundServerLog } from '../../../src/db/embedded/server-log.ts'
import { withLock } from '../../../src/db/embedded/start-lock.ts'
import { asRoot, freshDataDir, isRunning, openDirectory, query, RecordedLog, serverPid, spawnChild, start, startChild, startedAt, until, usedDataDir } from './embedded-harness.ts'

async function addPerson (connection: EmbeddedPostgres['connection'] | undefined): Promise<void> {
  await query(connection, 'drop table if exists people')
  await query(connection, 'create table people (id int)')
  await query(connection, 'insert into people values (7)')
}

/** Kills the server and all its processes at once, as a power failure would. */
async function killServer (dataDir: string): Promise<number> {
  const pid = await serverPid(dataDir)
  process.kill(pid, 'SIGKILL')
  return pid
}

t.test('kill -9 of the service: the server goes on, the next start finds it and every acknowledged row', async t => {
  const dataDir = await usedDataDir(t)
  const child = await startChild(t, { dataDir, fsync: true })
  await addPerson(child.said.connection)
  const before = await startedAt(child.said.connection)
  await child.kill()
  const database = await start(t, dataDir)
  t.equal(await startedAt(database.connection), before)
  t.match(await query(database.connection, 'select id from people'), { id: 7 })
})

t.test('kill -9 of the service and the server: the next start recovers every acknowledged row', async t => {
  const dataDir = await usedDataDir(t)
  const child = await startChild(t, { dataDir, fsync: true })
  await addPerson(child.said.connection)
  await child.kill()
  await killServer(dataDir)
  t.ok(await stat(join(dataDir, 'pg', 'cluster', 'postmaster.pid')), 'the stale pid file is there')
  const database = await start(t, dataDir)
  t.match(await query(database.connection, 'select id from people'), { id: 7 })
})

for (const content of ['a pid that is another process by now', 'nothing']) {
  t.test(`a stale postmaster.pid with ${content} does not keep the server down`, async t => {
    const dataDir = await usedDataDir(t)
    const child = await startChild(t, { dataDir })
    await addPerson(child.said.connection)
    await child.kill()
    const pid = await killServer(dataDir)
    const pidFile = join(dataDir, 'pg', 'cluster', 'postmaster.pid')
    const { uid, gid } = await stat(pidFile)
    const stranger = spawn('sleep', ['60'], asRoot ? { uid, gid } : {})
    t.teardown(() => stranger.kill('SIGKILL'))
    await once(stranger, 'spawn')
    if (content === 'nothing') await truncate(pidFile)
    else {
      for (const path of [pidFile, join(dataDir, 'pg', 'socket', '.s.PGSQL.5432.lock')]) {
        await writeFile(path, (await readFile(path, 'utf8')).replace(String(pid), String(stranger.pid)))
      }
    }
    const database = await start(t, dataDir)
    t.match(await query(database.connection, 'select id from people'), { id: 7 })
    t.equal(stranger.exitCode, null, 'that other process is left alone')
    t.equal(stranger.signalCode, null)
    await database.close()
    t.equal(stranger.signalCode, null)
  })
}

t.test('a server that lives but has lost its socket is not started twice', async t => {
  const dataDir = await usedDataDir(t)
  const child = await startChild(t, { dataDir })
  await child.kill()
  const pid = await serverPid(dataDir)
  for (const name of ['.s.PGSQL.5432', '.s.PGSQL.5432.lock']) await rm(join(dataDir, 'pg', 'socket', name))
  const starting = start(t, dataDir)
  await until(async () => (await readFile(join(dataDir, 'pg', 'server.log'), 'utf8')).includes('is still in use'))
  t.ok(isRunning(pid))
  process.kill(pid, 'SIGKILL')
  t.match(await query((await starting).connection, 'select 1 as one'), { one: 1 }, 'and is replaced when it ends')
})

t.test('kill -9 in the middle of initdb: the next start begins anew and leaves no rest', async t => {
  const dataDir = await freshDataDir(t)
  const child = spawnChild(t, { dataDir })
  const halfMade = async () => (await readdir(join(dataDir, 'pg')).catch(() => [])).filter(name => name.startsWith('cluster.'))
  await until(async () => (await halfMade()).length > 0)
  child.kill('SIGKILL')
  await once(child, 'exit')
  t.notOk((await readdir(join(dataDir, 'pg'))).includes('cluster'))
  const database = await start(t, dataDir)
  t.match(await query(database.connection, 'select 1 as one'), { one: 1 })
  await database.close()
  await (await start(t, dataDir)).close()
  t.same(await halfMade(), [])
})

t.test('a server that dies under a living service is started again', async t => {
  const dataDir = await usedDataDir(t)
  const log = new RecordedLog()
  const database = await start(t, dataDir, undefined, log)
  await addPerson(database.connection)
  await killServer(dataDir)
  await until(async () => log.lines.some(line => line.startsWith('connected to the embedded PostgreSQL again')))
  t.match(await query(database.connection, 'select id from people'), { id: 7 })
  const pid = await serverPid(dataDir)
  await database.close()
  // Its share of the lock was taken again, so it stops the server.
  await until(async () => !isRunning(pid))
})

t.test('close while the server is lost ends the attempts', async t => {
  const dataDir = await usedDataDir(t)
  const log = new RecordedLog()
  const database = await startEmbeddedPostgres({ dataDir, log, fsync: false })
  await killServer(dataDir)
  // A directory where a file has to be written keeps every attempt from succeeding.
  const passwordFile = join(dataDir, 'pg', 'superuser-password')
  await rename(passwordFile, `${passwordFile}.kept`)
  await until(async () => log.lines.some(line => line.includes('not reachable')))
  await database.close()
  const { length } = log.lines
  await t.rejects(startEmbeddedPostgres({ dataDir, log }), { name: 'EmbeddedPostgresError', message: /superuser-password is missing.*backup/ })
  t.equal(log.lines.length, length, 'nothing goes on after close')
  await rename(`${passwordFile}.kept`, passwordFile)
})

t.test('a password file that does not fit, or settings that do not work, are told as such', async t => {
  const dataDir = await usedDataDir(t)
  const child = await startChild(t, { dataDir })
  const passwordFile = join(dataDir, 'pg', 'superuser-password')
  const password = await readFile(passwordFile)
  await writeFile(passwordFile, 'wrong')
  await t.rejects(startEmbeddedPostgres({ dataDir, log: new RecordedLog() }), { name: 'EmbeddedPostgresError', message: /does not know the password/ })
  await writeFile(passwordFile, password)
  await child.close()
  const settingsFile = join(dataDir, 'pg', 'cluster', 'postgresql.auto.conf')
  await writeFile(settingsFile, 'max_connections = nonsense\n')
  await t.rejects(startEmbeddedPostgres({ dataDir, log: new RecordedLog() }), { name: 'EmbeddedPostgresError', message: /does not start.*max_connections/s })
  await truncate(settingsFile)
})

t.test('a lost password file of the role is replaced', async t => {
  const dataDir = await usedDataDir(t)
  const first = await start(t, dataDir)
  await rm(join(dataDir, 'pg', 'password'))
  const second = await start(t, dataDir)
  t.not(second.connection.password, first.connection.password)
  t.match(await query(second.connection, 'select 1 as one'), { one: 1 })
})

t.test('server.log is bounded while the server writes to it', async t => {
  const dataDir = await usedDataDir(t)
  const { connection } = await start(t, dataDir)
  const { uid, gid } = await stat(join(dataDir, 'pg'))
  const place = { home: join(dataDir, 'pg'), cluster: join(dataDir, 'pg', 'cluster'), socketDirectory: connection.host, user: asRoot ? { name: '', uid, gid } : undefined }
  await truncate(join(place.home, 'server.log'), 9 * 1024 * 1024)
  await boundServerLog(place)
  t.equal((await stat(join(place.home, 'server.log'))).size, 0)
  t.equal((await stat(join(place.home, 'server.log.1'))).size, 9 * 1024 * 1024)
  await t.rejects(query(connection, 'insert into strangers (email) values (\'canary@example.org\')'))
  await until(async () => (await stat(join(place.home, 'server.log'))).size > 0)
  const text = await readFile(join(place.home, 'server.log'), 'utf8')
  t.match(text, /relation "strangers" does not exist/)
  t.notMatch(text, /canary/, 'statements are not logged')
})

t.test('the start lock', async t => {
  const directory = await openDirectory(t)
  let inside = 0
  let most = 0
  await Promise.all(Array.from({ length: 20 }, async () => await withLock(directory, async () => {
    most = Math.max(most, ++inside)
    await new Promise(resolve => setImmediate(resolve))
    inside--
  })))
  t.equal(most, 1, 'one at a time')
  await t.rejects(withLock(directory, async () => { throw new Error('work failed') }), /work failed/)
  const holder = await startChild(t, { dataDir: directory, lock: true })
  let entered = false
  const waiting = withLock(directory, async () => { entered = true })
  // A process takes longer to start than the waiter to look.
  await startChild(t, { dataDir: await openDirectory(t), lock: true })
  t.notOk(entered, 'a living holder is waited for')
  await holder.kill()
  await waiting
  t.ok(entered, 'a killed holder frees the lock at once')
  t.equal((await readdir(directory)).filter(name => name.startsWith('lock.')).length, 1)
})
