import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { readPemKey } from '../src/keys/pem-keys.ts'
import { createTestApp, testSecret } from './helpers/app.ts'
import { command } from './helpers/command.ts'
import { connect, createTestDatabase } from './helpers/database.ts'
import { kidOf, publishedKids } from './helpers/keys.ts'
import { encryptedPem, p256, privatePem } from './helpers/pem.ts'
import { readMe, signIn, signUp } from './helpers/people.ts'
import { tcpUrlOf } from './helpers/proxy.ts'
import { cli, run, temporaryFolder } from './helpers/service.ts'
import { until } from './helpers/until.ts'

const keys = async (args: string[], env: Record<string, string> = {}) => await command(['keys', ...args], { AUTH_SECRET: testSecret, ...env })

t.test('keys: help and misuse', async t => {
  const help = await keys(['--help'])
  t.equal(help.code, 0)
  for (const command of ['list', 'rotate', 'revoke']) {
    t.match(help.stdout, command)
    t.equal((await keys([command, '--help'])).code, 0)
  }
  for (const args of [['forget'], ['revoke'], ['revoke', 'one', 'two'], ['list', '--loud'], ['rotate', 'now'], ['revoke', 'one']]) {
    t.match(await keys(args), { code: 2, stdout: '', stderr: /error/ }, args.join(' '))
  }
})

t.test('keys list, rotate and revoke beside a service that runs', async t => {
  const location = await createTestDatabase(t)
  const env = { DATABASE_URL: await tcpUrlOf(t, location), JWT_KEY_ACTIVATION_SECONDS: '1' }
  t.match(await keys(['list'], env), { code: 0, stdout: /^KID +ALGORITHM +STATE +SOURCE +ACTIVATES +RETIRES +EXPIRES +REVOKED\n$/, stderr: '' })
  t.match(await keys(['list', '--json'], env), { code: 0, stdout: '[]\n' })

  const api = await createTestApp(t, {}, location)
  const person = await signUp(api)
  const first = kidOf(person.accessToken)
  const rotated = await keys(['rotate'], env)
  t.match(rotated, { code: 0, stdout: /^[\w-]{43}\n$/, stderr: '' })
  const kid = rotated.stdout.trim()
  await until('the service publishes it', async () => (await publishedKids(api)).includes(kid))
  await until('and signs with it', async () => kidOf((await signIn(api, person.email)).accessToken) === kid)
  const listed = await keys(['list'], env)
  t.match(listed.stdout, new RegExp(`\\n${kid} +ES256 +active +database +\\S+Z +- +- +-\\n${first} +ES256 +retiring +database +\\S+Z +\\S+Z +\\S+Z +-\\n$`))
  const json = await keys(['rotate', '--json'], { ...env, JWT_ALGORITHM: 'EdDSA', JWT_KEY_ACTIVATION_SECONDS: '3600' })
  t.match(JSON.parse(json.stdout), { algorithm: 'EdDSA', state: 'pending', source: 'database' })
  t.match(JSON.parse((await keys(['list', '--json'], env)).stdout), [{ algorithm: 'EdDSA', state: 'pending' }, { kid, state: 'active' }, { kid: first, state: 'retiring' }])

  t.match(await keys(['revoke', '--yes', 'unknown'], env), { code: 1, stdout: '', stderr: 'There is no key with this id.\n' })
  t.match(await keys(['revoke', '--yes', '-hello'], env), { code: 1, stdout: '', stderr: 'There is no key with this id.\n' }, 'an id may begin with a hyphen')
  const before = await signIn(api, person.email)
  t.match(await keys(['revoke', '--yes', kid], env), { code: 0, stdout: `revoked ${kid}\n`, stderr: '' })
  await until('its tokens are refused', async () => (await readMe(api, before.accessToken)).json().code === 'TOKEN_INVALID')
  t.equal((await readMe(api, (await signIn(api, person.email)).accessToken)).statusCode, 200, 'a new key signs')
  t.match(await keys(['revoke', '--yes', kid], env), { code: 0 }, 'once more changes nothing')

  const sql = connect(location)
  const events = await sql`select actor_id, user_agent, details from audit_events where type = 'authz_admin' order by id`
  await sql.end()
  t.match([...events], [
    { actor_id: null, user_agent: 'auth-serve keys rotate', details: { action: 'key_rotated', kid } },
    { actor_id: null, details: { action: 'key_rotated' } },
    { actor_id: null, user_agent: 'auth-serve keys revoke', details: { action: 'key_revoked', kid } }
  ])
  t.equal(events.length, 3)
})

t.test('keys of files', async t => {
  const location = await createTestDatabase(t)
  const folder = await temporaryFolder(t)
  const pems = [privatePem(p256()), privatePem(p256())]
  const files = await Promise.all(pems.map(async (pem, n) => { await writeFile(join(folder, `${n}.pem`), pem); return join(folder, `${n}.pem`) }))
  const kids = pems.map(pem => readPemKey(pem).kid)
  const env = { DATABASE_URL: await tcpUrlOf(t, location), JWT_KEY_FILES: files.join(',') }
  const list = async () => JSON.parse((await keys(['list', '--json'], env)).stdout)

  t.match(await list(), [{ kid: kids[0], source: 'file', state: 'active' }, { kid: kids[1], source: 'file', state: 'pending' }])
  t.match(await keys(['rotate'], env), { code: 1, stdout: '', stderr: /come from files/ })
  t.match(await keys(['revoke', '--yes', '--', kids[0] ?? ''], env), { code: 0, stderr: '' })
  t.match(await list(), [{ kid: kids[0], state: 'revoked' }, { kid: kids[1], state: 'active' }])
  t.match(await keys(['revoke', '--yes', '--', kids[1] ?? ''], env), { code: 0, stderr: /No key is left that can sign/ })

  const encrypted = encryptedPem(p256())
  await writeFile(join(folder, 'bad.pem'), encrypted)
  const bad = await keys(['list'], { ...env, JWT_KEY_FILES: `${files[0]},${join(folder, 'bad.pem')},${join(folder, 'none.pem')}` })
  t.match(bad, { code: 2, stdout: '', stderr: /bad\.pem cannot be used: it is encrypted/ })
  t.match(bad.stderr, /none\.pem cannot be read \(ENOENT\)/)
  t.notOk(encrypted.split('\n').some(line => line.length > 40 && bad.stderr.includes(line)))
  t.match(await run([cli, 'serve'], { ...env, AUTH_SECRET: testSecret, JWT_KEY_FILES: join(folder, 'bad.pem') }), { code: 2, stderr: /bad\.pem cannot be used: it is encrypted/ })
})

t.test('keys: what goes wrong is told', async t => {
  t.match(await keys(['list'], { DATABASE_URL: 'postgres://localhost:1/none' }), { code: 1, stdout: '', stderr: /ECONNREFUSED/ })
  t.match(await keys(['list'], { JWT_ALGORITHM: 'HS256' }), { code: 2, stdout: '', stderr: /JWT_ALGORITHM/ })
})
