import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { v7 as uuidv7 } from 'uuid'
import t from 'tap'
import { packageRoot } from '../../../src/package-root.ts'
import { guardedOperations, renderPermissionReference } from '../../../src/roles/permission-docs.ts'
import { permissions } from '../../../src/roles/permissions.ts'
import { createRoles } from '../../../src/roles/roles.ts'
import { createTestApp, type TestApp } from '../../helpers/app.ts'
import { connect } from '../../helpers/database.ts'
import { signIn, signUp, type Person } from '../../helpers/people.ts'

const only = (permission: string) => `only-${permission.replace(':', '-')}`
const allBut = (permission: string) => `all-but-${permission.replace(':', '-')}`
const roles = Object.fromEntries(permissions.flatMap(permission => [
  [only(permission), [permission]],
  [allBut(permission), permissions.filter(other => other !== permission)]
]))

const documentOf = async (api: TestApp) => (await api.request({ method: 'GET', url: '/docs/json' })).json()

async function signUpAs (api: TestApp, role: string): Promise<Person> {
  const person = await signUp(api)
  const sql = connect(api.database)
  await sql`update users set roles = ${['user', role]} where id = ${person.id}`
  await sql.end()
  return await signIn(api, person.email)
}

t.test('every operation is open to whom its policy names, and to nobody else', async t => {
  const api = await createTestApp(t, { roles })
  const operations = guardedOperations(await documentOf(api))
  t.ok(operations.length > 30)
  const call = async (method: string, path: string, person?: Person): Promise<string> => {
    const url = path.replaceAll(/\{\w+\}/g, uuidv7())
    const response = await api.request({ method: method as 'GET', url, headers: person?.authorization ?? {} })
    return response.statusCode === 401 || response.statusCode === 403 ? response.json().code : 'let in'
  }

  for (const { method, path, access } of operations) {
    const answer = await call(method, path)
    if (access === 'public') t.equal(answer, 'let in', `${method} ${path}: anybody`)
    // With optional access the body may be who one is.
    else if (access !== 'optional') t.equal(answer, 'TOKEN_MISSING', `${method} ${path}: nobody without a token`)
  }

  const plain = await signUp(api)
  const admin = await signUpAs(api, 'admin')
  const former = await signUpAs(api, 'a-role-of-yesterday')
  const named = new Set(operations.map(({ access }) => access).filter(access => access.includes(':')))
  for (const permission of named) {
    t.ok(permissions.some(known => known === permission), `${permission} is one of the permissions`)
    const [holder, others] = [await signUpAs(api, only(permission)), await signUpAs(api, allBut(permission))]
    for (const { method, path } of operations.filter(({ access }) => access === permission)) {
      t.equal(await call(method, path, admin), 'let in', `${method} ${path}: an administrator`)
      t.equal(await call(method, path, holder), 'let in', `${method} ${path}: a role with ${permission} alone`)
      t.equal(await call(method, path, others), 'FORBIDDEN', `${method} ${path}: a role with every other permission`)
      t.equal(await call(method, path, plain), 'FORBIDDEN', `${method} ${path}: no role`)
      t.equal(await call(method, path, former), 'FORBIDDEN', `${method} ${path}: a role that is defined no more`)
    }
  }
})

t.test('docs/reference/permissions.md is what the routes say (else: npm run docs:generate)', async t => {
  const api = await createTestApp(t)
  t.equal(await readFile(join(packageRoot, 'docs/reference/permissions.md'), 'utf8'), renderPermissionReference(await documentOf(api)))
})

t.test('what roles cover', async t => {
  const { allow, cover, names } = createRoles({ support: ['users:read', 'users:write'], reader: ['users:read'] })
  t.same(names, ['user', 'admin', 'support', 'reader'])
  t.ok(allow(['user', 'support'], 'users:write'))
  t.notOk(allow(['user', 'reader'], 'users:write'))
  t.notOk(allow(['user', 'constructor', '__proto__'], 'users:read'), 'names of JavaScript are no roles')
  t.ok(cover(['user', 'support'], ['user', 'reader']))
  t.ok(cover(['user', 'support'], ['user', 'gone']), 'a role that is defined no more allows nothing')
  t.notOk(cover(['user', 'reader'], ['user', 'support']))
  t.notOk(cover(['user', 'support'], ['user', 'admin']))
  t.ok(cover(['admin'], ['user', 'admin']))
  t.throws(() => createRoles({ admin: [] }), { name: 'TypeError', message: /built in/ })
})
