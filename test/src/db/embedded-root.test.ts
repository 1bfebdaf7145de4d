import { chmod, chown, lstat, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { daemonDirectory } from '../../../src/db/embedded/daemon-directory.ts'
import { startEmbeddedPostgres } from '../../../src/db/embedded/embedded-postgres.ts'
import { defaultDatabaseUser, ownerAsUser } from '../../../src/db/embedded/os-user.ts'
import { pathHash } from '../../../src/db/embedded/socket-directory.ts'
import { asRoot, freshDataDir, nobody, openDirectory, packageWithoutLinks, query, RecordedLog, serverPid, start, startChild, until } from './embedded-harness.ts'

const nameless = 54_321

t.test('under root a new database belongs to "postgres", else to "nobody"', async t => {
  const passwd = join(await openDirectory(t), 'passwd')
  const everybody = 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65533::/:/bin/false\n'
  await writeFile(passwd, `${everybody}postgres:x:26:27::/:/bin/false\n`)
  t.same(await defaultDatabaseUser(passwd), { name: 'postgres', uid: 26, gid: 27 })
  await writeFile(passwd, everybody)
  t.same(await defaultDatabaseUser(passwd), { name: 'nobody', uid: 65534, gid: 65533 })
  await t.rejects(defaultDatabaseUser(`${passwd}.missing`), { name: 'EmbeddedPostgresError', message: /passwd entry.*DATABASE_URL/ })
  t.same(await ownerAsUser({ uid: nameless, gid: 1 }), { name: `uid ${nameless}`, uid: nameless, gid: 1 })
})

if (asRoot) {
  const other = await ownerAsUser({ uid: nobody, gid: nobody })

  t.test('as root: PostgreSQL runs as another user, from a directory that user can reach', async t => {
    const dataDir = await freshDataDir(t)
    const log = new RecordedLog()
    await start(t, dataDir, undefined, log)
    const user = await defaultDatabaseUser()
    t.equal((await stat(dataDir)).uid, 0)
    t.equal((await stat(join(dataDir, 'pg'))).uid, user.uid)
    t.equal((await stat(join(dataDir, 'pg', 'cluster'))).uid, user.uid)
    t.match(await readFile(`/proc/${await serverPid(dataDir)}/status`, 'utf8'), new RegExp(`Uid:\t${user.uid}\t`))
  })

  t.test('as root without a user "postgres": runs as "nobody" and warns', async t => {
    const dataDir = await freshDataDir(t)
    const log = new RecordedLog()
    const first = await start(t, dataDir, { newUser: other }, log)
    t.match(log.lines.join(), /WARN PostgreSQL runs as "nobody", so every process of that user owns the data/)
    await first.close()
    const second = await start(t, dataDir, { newUser: { name: 'somebody', uid: nameless, gid: nameless } })
    t.match(await query(second.connection, 'select 1 as one'), { one: 1 }, 'an existing database stays with its owner')
    t.equal((await stat(join(dataDir, 'pg'))).uid, nobody)
  })

  t.test('no other local user can connect, nor use the directory before us', async t => {
    const dataDir = await freshDataDir(t)
    const user = await defaultDatabaseUser()
    const { connection } = await start(t, dataDir)
    const stranger = await startChild(t, { dataDir, uid: nobody })
    t.match(stranger.said.error, { name: 'EmbeddedPostgresError', message: /not usable by this user.*EACCES/ })
    t.notOk((await stat(connection.host)).mode & 0o077)
    t.equal((await stat(connection.host)).uid, user.uid)

    const long = await freshDataDir(t, 'long-'.repeat(24))
    const taken = `/tmp/auth-serve-${pathHash(join(long, 'pg'))}`
    t.teardown(async () => { await rm(taken, { recursive: true }) })
    await mkdir(taken)
    await chown(taken, nameless, nameless)
    await t.rejects(startEmbeddedPostgres({ dataDir: long, log: new RecordedLog() }), { name: 'EmbeddedPostgresError', message: /belongs to uid 54321/ })
    t.equal((await stat(taken)).uid, nameless)
  })

  t.test('binaries in a directory that only root can enter are copied once', async t => {
    const directory = await openDirectory(t)
    const version = `18.0.0-test-${process.pid}`
    const platformPackage = { ...await packageWithoutLinks(directory), version }
    await chmod(join(platformPackage.directory, 'native', 'share', 'postgresql', 'postgres.bki'), 0o600)
    await chmod(directory, 0o700)
    const copy = join(daemonDirectory, `postgresql-${version}`)
    t.teardown(async () => { await rm(copy, { recursive: true, force: true }) })

    const log = new RecordedLog()
    const dataDirs = [await freshDataDir(t), await freshDataDir(t)]
    const databases = await Promise.all(dataDirs.map(async dataDir => await start(t, dataDir, { platformPackage }, log)))
    for (const { connection } of databases) t.match(await query(connection, 'select 1 as one'), { one: 1 })
    t.equal(log.lines.filter(line => line.startsWith('copied the PostgreSQL binaries')).length, 1)
    t.match(await stat(copy), { uid: 0 })
    t.notOk((await stat(copy)).mode & 0o022)
    t.same((await readdir(daemonDirectory)).filter(name => name.endsWith('.tmp')), [])
  })

  t.test('DATA_DIR under a directory that only root can enter: the data lives where daemons keep it, and stays there', async t => {
    const directory = await openDirectory(t)
    await chmod(directory, 0o700)
    const dataDir = join(directory, 'data')
    const home = join(daemonDirectory, pathHash(dataDir))
    t.teardown(async () => { await rm(home, { recursive: true, force: true }) })

    const log = new RecordedLog()
    const first = await start(t, dataDir, undefined, log)
    t.match(log.lines.join(), new RegExp(`WARN [^\n]*${home}`))
    t.equal(first.connection.host, join(home, 'socket'))
    await query(first.connection, 'create table people as select 7 as id')
    await first.close()
    await chmod(directory, 0o711)
    const second = await start(t, dataDir)
    t.match(await query(second.connection, 'select id from people'), { id: 7 })

    await writeFile(join(dataDir, 'pg.location'), '/etc\n')
    await t.rejects(startEmbeddedPostgres({ dataDir, log }), { name: 'EmbeddedPostgresError', message: /does not name a directory of the service/ })
    t.equal((await stat('/etc')).uid, 0, 'a forged place is not given away')
  })

  t.test('a database that its user can no longer reach is not replaced by an empty one', async t => {
    const directory = await openDirectory(t)
    const dataDir = join(directory, 'data')
    await (await start(t, dataDir)).close()
    await chmod(directory, 0o700)
    await t.rejects(startEmbeddedPostgres({ dataDir, log: new RecordedLog() }), { name: 'EmbeddedPostgresError', message: /cannot enter a directory above it.*chmod o\+x/ })
  })

  t.test('not as root: the user\'s own database, from a read-only installation without links', async t => {
    const directory = await openDirectory(t)
    const platformPackage = await packageWithoutLinks(directory)
    const dataDir = await freshDataDir(t)
    await mkdir(dataDir)
    await chown(dataDir, nobody, nobody)
    const child = await startChild(t, { dataDir, uid: nobody, parts: { platformPackage } })
    t.match(child.said, { connection: { username: 'auth_serve' } })
    t.match(await query(child.said.connection, 'select 1 as one'), { one: 1 })
    t.equal((await stat(join(dataDir, 'pg', 'cluster'))).uid, nobody)
    t.ok((await lstat(join(dataDir, 'pg', `postgresql-${platformPackage.version}`))).isDirectory())

    const asSomebody = await startChild(t, { dataDir, uid: nameless, parts: { platformPackage } })
    t.match(asSomebody.said.error, { name: 'EmbeddedPostgresError', message: /not usable by this user/ })
    const asRoot = await start(t, dataDir)
    t.same(asRoot.connection, child.said.connection, 'root attaches')
    const pid = await serverPid(dataDir)
    await child.close()
    await asRoot.close()
    await until(async () => !(await readdir(join(dataDir, 'pg', 'cluster'))).includes('postmaster.pid'))
    await start(t, dataDir)
    t.not(await serverPid(dataDir), pid)
    t.equal((await stat(join(dataDir, 'pg', 'cluster', 'postmaster.pid'))).uid, nobody, 'a start as root leaves it with its owner')
    const again = await startChild(t, { dataDir, uid: nobody, parts: { platformPackage } })
    t.match(again.said, { connection: { username: 'auth_serve' } }, 'and its owner still gets in')
  })

  t.test('a uid without a passwd entry: a message with the two ways out', async t => {
    const platformPackage = await packageWithoutLinks(await openDirectory(t))
    const dataDir = await freshDataDir(t)
    await mkdir(dataDir)
    await chown(dataDir, nameless, nameless)
    const child = await startChild(t, { dataDir, uid: nameless, parts: { platformPackage } })
    t.match(child.said.error, { name: 'EmbeddedPostgresError', message: /uid 54321.*passwd entry.*DATABASE_URL/s })
    t.same((await readdir(join(dataDir, 'pg'))).filter(name => name.startsWith('cluster')), [])
  })

  t.test('a copy of a database made by another user is refused with its owner', async t => {
    const dataDir = await freshDataDir(t)
    const platformPackage = await packageWithoutLinks(await openDirectory(t))
    await mkdir(join(dataDir, 'pg'), { recursive: true })
    await chown(dataDir, nobody, nobody)
    await chown(join(dataDir, 'pg'), nameless, nameless)
    await chmod(join(dataDir, 'pg'), 0o755)
    const child = await startChild(t, { dataDir, uid: nobody, parts: { platformPackage } })
    t.match(child.said.error, { name: 'EmbeddedPostgresError', message: /belongs to uid 54321.*run the service as the user who made it/ })
  })
}
