import { execFile, execFileSync } from 'node:child_process'
import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { ConfigError } from '../../src/config.ts'
import { generateSecret, readOrCreateSecret } from '../../src/config/secret-file.ts'

const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777

t.test('the first call makes the folder and the secret, later ones read it', async t => {
  const dataDir = join(t.testdir({}), 'deep', 'data')
  const umask = process.umask(0o077)
  t.teardown(() => process.umask(umask))
  const secret = await readOrCreateSecret(dataDir)
  t.match(secret, /^[A-Za-z0-9_-]{43}$/)
  t.equal(await modeOf(dataDir), 0o711, 'the database user can pass through, nobody can list')
  t.equal(await modeOf(join(dataDir, 'secret')), 0o600)
  t.equal(await readOrCreateSecret(dataDir), secret)
  t.strictSame(await readdir(dataDir), ['secret'], 'no draft stays behind')
})

t.test('a folder that exists keeps its mode', async t => {
  const dataDir = t.testdir({})
  await chmod(dataDir, 0o750)
  await readOrCreateSecret(dataDir)
  t.equal(await modeOf(dataDir), 0o750)
})

t.test('many calls at once, in one process and in several, agree on one secret', async t => {
  const dataDir = join(t.testdir({}), 'data')
  const module = new URL(`../../src/config/secret-file${extname(import.meta.url)}`, import.meta.url).href
  const program = `import { readOrCreateSecret } from ${JSON.stringify(module)}
    process.stdout.write(await readOrCreateSecret(${JSON.stringify(dataDir)}))`
  const children = Array.from({ length: 4 }, async () =>
    (await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program])).stdout)
  const calls = Array.from({ length: 20 }, async () => await readOrCreateSecret(dataDir))
  const secrets = await Promise.all([...children, ...calls])
  t.equal(new Set(secrets).size, 1)
  t.equal((await readFile(join(dataDir, 'secret'), 'utf8')).trim(), secrets[0])
  t.strictSame(await readdir(dataDir), ['secret'])
})

t.test('a file that others could have read or put there is refused', async t => {
  const open = t.testdir({ secret: generateSecret() })
  await chmod(join(open, 'secret'), 0o640)
  await t.rejects(readOrCreateSecret(open), { name: 'ConfigError', message: /open to other users \(mode 640\)/ })

  const linked = join(open, 'linked')
  await mkdir(linked)
  await symlink(join(open, 'secret'), join(linked, 'secret'))
  await t.rejects(readOrCreateSecret(linked), { message: /is a symlink/ })

  const dangling = join(open, 'dangling')
  await mkdir(dangling)
  await symlink(join(open, 'nowhere'), join(dangling, 'secret'))
  await t.rejects(readOrCreateSecret(dangling), { message: /is a symlink/ })
})

t.test('a folder, a pipe or a damaged file in its place is refused, and left as it is', async t => {
  const dir = t.testdir({ folder: { secret: {} }, pipe: {}, short: { secret: 'abc' }, empty: { secret: '' } })
  execFileSync('mkfifo', [join(dir, 'pipe', 'secret')])
  await t.rejects(readOrCreateSecret(join(dir, 'folder')), { message: /not a regular file/ })
  await t.rejects(readOrCreateSecret(join(dir, 'pipe')), { message: /not a regular file/ })
  for (const name of ['short', 'empty']) {
    await chmod(join(dir, name, 'secret'), 0o600)
    const error = await t.rejects(readOrCreateSecret(join(dir, name)), { message: /is damaged/ })
    t.notMatch(error, /abc/, 'its content is not shown')
  }
  t.equal(await readFile(join(dir, 'short', 'secret'), 'utf8'), 'abc')
})

t.test('a DATA_DIR that cannot be made is told with the ways out', async t => {
  const dir = t.testdir({})
  await writeFile(join(dir, 'file'), '')
  const error = await readOrCreateSecret(join(dir, 'file', 'data')).catch((cause: unknown) => cause)
  t.ok(error instanceof ConfigError)
  t.match(error, { message: /ENOTDIR.*give DATA_DIR to the user of the service, or set AUTH_SECRET/ })
})
