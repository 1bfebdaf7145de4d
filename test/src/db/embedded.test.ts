import { readFile, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import t from 'tap'
import { EmbeddedPostgresError, startEmbeddedPostgres } from '../../../src/db/embedded/index.ts'
import { freshDataDir, isRunning, query, RecordedLog, serverPid, start, startChild, startedAt, until, usedDataDir } from './embedded-harness.ts'

t.test('an empty directory: makes a database that only its own role can use', async t => {
  const dataDir = await freshDataDir(t)
  const log = new RecordedLog()
  const database = await startEmbeddedPostgres({ dataDir, log, database: 'people' })
  t.teardown(async () => { await database.close() })
  const { connection } = database
  t.match(connection, { host: join(dataDir, 'pg', 'socket'), port: 5432, database: 'people', username: 'auth_serve' })
  t.match(await query(connection, `
    select current_user as "user", rolsuper as super, rolcreatedb as createdb, pg_get_userbyid(datdba) as owner,
           pg_encoding_to_char(encoding) as encoding, datlocprovider as collation,
           current_setting('fsync') as fsync, current_setting('data_checksums') as checksums, current_setting('timezone') as zone,
           current_setting('statement_timeout') as timeout, current_setting('listen_addresses') as tcp
    from pg_roles, pg_database where rolname = current_user and datname = current_database()`),
  { user: 'auth_serve', super: false, createdb: true, owner: 'auth_serve', encoding: 'UTF8', collation: 'b', fsync: 'on', checksums: 'on', zone: 'UTC', timeout: '0', tcp: '' })
  for (const [path, mode] of Object.entries({ password: 0o600, 'superuser-password': 0o600, 'server.log': 0o600, 'server.conf': 0o600, '': 0o700, socket: 0o700, cluster: 0o700 })) {
    t.equal((await stat(join(dataDir, 'pg', path))).mode & 0o777, mode, `pg/${path}`)
  }
  await t.rejects(query({ ...connection, password: 'wrong' }, 'select 1'), { code: '28P01' })
  await t.rejects(query({ ...connection, username: 'postgres', password: '' }, 'select 1'), Error, 'the superuser needs its password too')
  t.match(log.lines.join(), /started the embedded PostgreSQL/)
})

t.test('the role can clone a template database, as a test-suite does', async t => {
  const { connection } = await start(t, await usedDataDir(t))
  await query(connection, 'create database template_people')
  await query({ ...connection, database: 'template_people' }, 'create table people as select 1 as id')
  await query(connection, 'create database people_1 template template_people')
  t.match(await query({ ...connection, database: 'people_1' }, 'select id from people'), { id: 1 })
})

t.test('a second process attaches, and the last to leave stops the server', async t => {
  const dataDir = await usedDataDir(t)
  const first = await startChild(t, { dataDir })
  const pid = await serverPid(dataDir)
  const second = await startChild(t, { dataDir })
  t.same(second.said, first.said)
  await first.close()
  t.match(await query(second.said.connection, 'select 1 as one'), { one: 1 }, 'the first leaves, the server stays')
  await second.close()
  await t.rejects(query(second.said.connection, 'select 1'), { code: 'ENOENT' })
  await until(async () => !isRunning(pid))
})

t.test('four processes at once on an empty directory share one server', async t => {
  const dataDir = await freshDataDir(t)
  const children = await Promise.all([1, 2, 3, 4].map(async () => await startChild(t, { dataDir })))
  const starts = await Promise.all(children.map(async child => await startedAt(child.said.connection)))
  t.equal(new Set(starts).size, 1)
  await Promise.all(children.map(async child => { await child.close() }))
  await t.rejects(query(children[0]?.said.connection, 'select 1'), { code: 'ENOENT' }, 'all leave at once: nobody stays behind')
})

t.test('processes that come while others go always get a server', async t => {
  const dataDir = await usedDataDir(t)
  await Promise.all([1, 2, 3].map(async () => {
    for (let round = 0; round < 4; round++) {
      const database = await startEmbeddedPostgres({ dataDir, log: new RecordedLog(), fsync: false })
      t.match(await query(database.connection, 'select 1 as one'), { one: 1 })
      await database.close()
    }
  }))
})

t.test('Ctrl-C on the service does not reach the server, and the server sees nothing of its environment', async t => {
  const dataDir = await usedDataDir(t)
  const child = await startChild(t, { dataDir }, { AUTH_SECRET: 'a-canary' })
  const { connection } = child.said
  const before = await startedAt(connection)
  const pid = await serverPid(dataDir)
  if (process.platform === 'linux') t.notMatch(await readFile(`/proc/${pid}/environ`, 'utf8'), /canary/)
  // The child leads its process group, as a command in a terminal does.
  process.kill(-(child.process.pid ?? Number.NaN), 'SIGINT')
  await until(async () => child.process.signalCode === 'SIGINT')
  t.equal(await startedAt(connection), before)
  const database = await start(t, dataDir)
  t.equal(await startedAt(database.connection), before)
  await database.close()
  // Who comes after a killed process still stops the server.
  await until(async () => !isRunning(pid))
})

for (const [name, what] of [[`${'long-'.repeat(24)}name`, 'too long for a socket'], ['a \'b\' "c" $HOME, d:é', 'with characters of shells and settings']] as const) {
  t.test(`a DATA_DIR ${what}: the socket lies in a closed directory elsewhere`, async t => {
    const dataDir = await freshDataDir(t, name)
    let socketDirectory = ''
    t.teardown(async () => { await rm(socketDirectory, { recursive: true }) })
    const first = await start(t, dataDir)
    socketDirectory = first.connection.host
    t.match(first.connection.host, /^\/tmp\/auth-serve-[0-9a-f]{16}$/)
    t.equal((await stat(first.connection.host)).mode & 0o777, 0o700)
    t.match(await query(first.connection, 'select 1 as one'), { one: 1 })
    const second = await start(t, dataDir)
    t.same(second.connection, first.connection, 'every process finds it')
  })
}

t.test('close may be called twice, and also after the directory is gone', async t => {
  const dataDir = await freshDataDir(t)
  const log = new RecordedLog()
  const database = await startEmbeddedPostgres({ dataDir, log, fsync: false })
  const pid = await serverPid(dataDir)
  await rm(dirname(dataDir), { recursive: true, force: true })
  await Promise.all([database.close(), database.close()])
  t.match(log.lines.join(), /could not leave/)
  if (isRunning(pid)) process.kill(pid, 'SIGKILL')
})

t.test('a database of another major version is refused with what to do', async t => {
  const dataDir = await usedDataDir(t)
  const database = await start(t, dataDir)
  await database.close()
  const versionFile = join(dataDir, 'pg', 'cluster', 'PG_VERSION')
  await writeFile(versionFile, '17\n')
  const refused = startEmbeddedPostgres({ dataDir, log: new RecordedLog() })
  await t.rejects(refused, { name: 'EmbeddedPostgresError', message: /PostgreSQL 17.*brings PostgreSQL 18.*Dump.*restore/s })
  await t.rejects(refused, EmbeddedPostgresError)
  await writeFile(versionFile, '18\n')
  t.match(await query((await start(t, dataDir)).connection, 'select 1 as one'), { one: 1 }, 'nothing was touched')
})
