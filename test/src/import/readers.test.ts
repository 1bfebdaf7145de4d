import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import fc from 'fast-check'
import t from 'tap'
import { createDigestSet } from '../../../src/import/digest-set.ts'
import { readMoment, splitName } from '../../../src/import/fields.ts'
import { readers } from '../../../src/import/formats.ts'
import { createJudgePerson, type JudgeOptions } from '../../../src/import/judge-person.ts'
import { formatNames, recogniseFormat, type FormatName } from '../../../src/import/recognise.ts'
import type { OpenSource, ReaderOptions, Reading, SourcePerson } from '../../../src/import/record.ts'
import { packageRoot } from '../../../src/package-root.ts'
import { parseForeignHash } from '../../../src/passwords/foreign/index.ts'
import '../../helpers/property-seed.ts'

const fixture = (name: string): string => join(packageRoot, 'test/fixtures/import', name)
const hashParameters = await readFile(fixture('firebase-parameters.txt'), 'utf8')

/** A file that comes in chunks of some bytes. */
const sourceOf = (content: string | Buffer, size = 7): OpenSource => () => {
  const bytes = Buffer.from(content)
  const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size))
  return Readable.from(chunks)
}

async function readAll (format: FormatName, open: OpenSource, options: ReaderOptions = { hashParameters }): Promise<Reading[]> {
  const readings: Reading[] = []
  for await (const reading of readers[format](open, options)) readings.push(reading)
  return readings
}

const personOf = (reading: Reading | undefined): SourcePerson => {
  if (reading === undefined || !('person' in reading)) throw new Error(`no person: ${JSON.stringify(reading)}`)
  return reading.person
}

const correctHorse = 'correct horse battery staple'
const greetings = 'Grüße, 東京 🙂'

// What stands in the fixtures: the first person has a password and the names Ada and Lovelace, the second is Grace.
const files: Array<[file: string, format: FormatName, password: string, sourceIds: Array<string | undefined>, verified: boolean | string, graceIsActive: boolean]> = [
  ['own.ndjson', 'ndjson', correctHorse, ['01920000-0000-7000-8000-00000000000a', '01920000-0000-7000-8000-00000000000b'], '2025-01-02T03:04:05.678Z', false],
  ['own.csv', 'csv', correctHorse, ['17', '18'], true, true],
  ['supabase.json', 'supabase', correctHorse, ['3f0b39cb-0a1b-4428-b36f-b8c098126dbd', '3cd03985-e069-4971-9201-e1aa31ccc8b0'], '2023-03-04T05:06:07.891Z', false],
  ['supabase.csv', 'supabase', correctHorse, ['3f0b39cb-0a1b-4428-b36f-b8c098126dbd', '3cd03985-e069-4971-9201-e1aa31ccc8b0'], '2023-03-04T05:06:07.891Z', false],
  ['better-auth.json', 'better-auth', correctHorse, ['Zb7kQ0c2hPp1', 'Yc8lR1d3iQq2'], true, false],
  ['better-auth.ndjson', 'better-auth', correctHorse, ['Zb7kQ0c2hPp1', 'Yc8lR1d3iQq2'], true, false],
  ['keycloak.json', 'keycloak', greetings, ['4f0b39cb-0a1b-4428-b36f-b8c098126dbd', '4cd03985-e069-4971-9201-e1aa31ccc8b0'], true, false],
  ['firebase.json', 'firebase', 'user1password', ['xT3fI0Qw', 'yT3fI0Qw'], true, false],
  ['firebase.csv', 'firebase', 'user1password', ['xT3fI0Qw', 'yT3fI0Qw'], true, false],
  ['auth0.ndjson', 'auth0', correctHorse, ['5dea9f9c82dd7c0e76e4ec93', 'grace-1'], true, true],
  ['auth0.json', 'auth0', correctHorse, ['5dea9f9c82dd7c0e76e4ec93', undefined], true, false],
  ['django.json', 'django', greetings, ['1', '2'], false, true]
]

for (const [file, format, password, sourceIds, verified, graceIsActive] of files) {
  t.test(`${file} is recognised as ${format} and read`, async t => {
    const open: OpenSource = () => createReadStream(fixture(file))
    t.equal(await recogniseFormat(open), format)
    const readings = await readAll(format, open)
    t.same(readings.slice(0, 2).map(({ sourceId }) => sourceId), sourceIds)
    const [ada, grace] = [personOf(readings[0]), personOf(readings[1])]
    t.equal(ada.email.toLowerCase(), 'ada@example.com')
    t.equal(grace.email, 'grace@example.com')
    t.same(ada.emailVerified instanceof Date ? ada.emailVerified.toISOString() : ada.emailVerified, verified)
    t.equal(grace.emailVerified, format === 'keycloak')
    t.equal(ada.isActive, true)
    t.equal(grace.isActive, graceIsActive)
    const hash = ada.password !== undefined && 'hash' in ada.password ? ada.password.hash : ''
    t.equal(await parseForeignHash(hash)?.verify(password), true, 'the password of another tool is the password')
    t.equal(await parseForeignHash(hash)?.verify('another'), false)
    // The same, whatever the chunks.
    t.same(await readAll(format, sourceOf(await readFile(fixture(file)))), readings)
  })
}

t.test('what else the formats tell', async t => {
  const rest = async (file: string, format: FormatName) => (await readAll(format, () => createReadStream(fixture(file)))).slice(2)
  t.match(await rest('supabase.json', 'supabase'), [{ row: 3, passedOver: 'an anonymous user' }, { row: 4, passedOver: 'deleted there' }])
  t.match(await rest('supabase.csv', 'supabase'), [{ row: 4, passedOver: 'an anonymous user' }, { row: 5, passedOver: 'deleted there' }])
  t.match(await rest('keycloak.json', 'keycloak'), [{ row: 3, passedOver: 'a service account' }])
  t.equal((await rest('keycloak.json', 'keycloak')).length, 1, 'a list of the same name elsewhere is not read')
  t.match(await rest('firebase.csv', 'firebase'), [{ row: 3, passedOver: 'an anonymous user' }])
  const people = async (file: string, format: FormatName) => (await readAll(format, () => createReadStream(fixture(file)))).slice(0, 2).map(personOf)
  t.match(await people('supabase.csv', 'supabase'), [
    { firstName: 'Ada King', lastName: 'Lovelace', createdAt: new Date('2023-03-04T05:06:07.1Z'), lastLoginAt: new Date('2024-02-03T04:05:06Z') },
    { firstName: 'Grace', lastName: 'Hopper', password: undefined }
  ])
  t.match(await people('firebase.csv', 'firebase'), [{ firstName: 'Lovelace, Ada', lastName: undefined, createdAt: new Date(1611230523301) }, { firstName: 'Grace' }])
  t.match(await people('django.json', 'django'), [{ username: 'ada', roles: [] }, { roles: ['superuser', 'staff', 'editors'], password: undefined, lastLoginAt: undefined }])
  t.match(await people('keycloak.json', 'keycloak'), [{ roles: [] }, { roles: ['editor'], password: { hash: /^\$argon2id\$/ } }])
  t.match((await people('auth0.json', 'auth0'))[1]?.password, { refused: /none of bcrypt, argon2, pbkdf2 and scrypt/ })
  const [bare] = await readAll('firebase', () => createReadStream(fixture('firebase.json')), {})
  t.match(personOf(bare).password, { refused: /--hash-parameters/ })
})

t.test('bad records are refused by row, field and reason', async t => {
  const refusals = async (format: FormatName, content: string | Buffer) =>
    (await readAll(format, sourceOf(content))).map(reading => 'refusal' in reading ? `${reading.row} ${reading.refusal.field} ${reading.refusal.reason}` : `${reading.row} good`)
  t.match(await refusals('ndjson', '{"email":"a@example.com"}\n\n{"email":\n[1]\n{"email":1}\n{"email":"b@example.com","emial":"x"}\n{"email":"c@example.com","createdAt":"yesterday"}\n{}\n{"email":"d@example.com","roles":"user"}\n{"email":"e@exa'), [
    '1 good',
    '3 line is not JSON, or cut off',
    '4 line is not a JSON object',
    '5 email must be text',
    /^6 emial is no field; there are id, email, /,
    /^7 createdAt must be a moment such as /,
    '8 email is missing',
    '9 roles must be a list',
    '10 line is not JSON, or cut off'
  ])
  t.same(await refusals('ndjson', Buffer.from('{"email":"\xff@example.com"}\n', 'latin1')), ['1 line is not UTF-8'])
  t.same(await refusals('ndjson', `{"email":"${'a'.repeat(1024 * 1024)}"}\n{"email":"a@example.com"}`), ['1 line is longer than 1048576 bytes', '2 good'])
  t.same(await refusals('csv', 'email,isActive\na@example.com,true,x\nb@example.com,perhaps\nc@example.com,no\nd@example.com,f\n'), [
    '2 line has another number of fields than the header', '3 isActive must be true or false', '4 isActive must be true or false', '5 good'
  ])
  t.same(await refusals('supabase', '[{"email":"a@example.com","raw_user_meta_data":"{"},7,{"email":"b@example.com","banned_until":"soon"}]'), [
    '1 raw_user_meta_data must be a JSON object', '2 record is not a JSON object', '3 banned_until must be a moment such as 2026-01-31T12:00:00Z'
  ])
  t.match(await refusals('keycloak', '{"users":[{"email":"a@example.com","credentials":[{"type":"password"}]}]}'), [/^1 credentials has a password without secretData/])
})

t.test('files that cannot be read are refused as a whole', async t => {
  const failing: Array<[FormatName, string | Buffer, RegExp]> = [
    ['keycloak', '{"users":[{"email":"a@example.com"},{"email":"b@exam', /is not JSON, or cut off, somewhere after record \d/],
    ['django', '[{"model":"auth.user","pk":1,', /is not JSON, or cut off/],
    ['django', Buffer.from('[{"model":"\xff"}]', 'latin1'), /is not UTF-8/],
    ['csv', 'ada@example.com,$2b$10$secret\n', /must name its columns, and column 1 is none of id, email/],
    ['csv', 'username,firstName\nada,Ada\n', /has no column email/],
    ['csv', 'email,firstName\na@example.com,"Ada\n', /after line \d+: a quote is not closed, or it is cut off/],
    ['csv', 'email,firstName,email\na@example.com,Ada,b@example.com\n', /Columns 1 and 3 of the file have the same name/],
    ['csv', Buffer.from('email,firstName\na@example.com,M\xfcller\n', 'latin1'), /is not UTF-8, somewhere after line \d/],
    ['supabase', 'a@example.com,x\n', /has no columns email and encrypted_password/]
  ]
  for (const [format, content, message] of failing) await t.rejects(readAll(format, sourceOf(content)), { message }, String(message))
  await t.rejects(readAll('firebase', sourceOf('{"users":[]}'), { hashParameters: 'rounds: 8' }), { message: /must hold base64_signer_key/ })
  for (const content of ['', ' \n', 'hello', 'a,b\n1,2\n', '[1,2]', '{"hello":"world"}']) await t.rejects(recogniseFormat(sourceOf(content)), { message: /empty|name it with --format/ }, content)
})

const judging: JudgeOptions = { roles: ['user', 'admin', 'support'], roleMap: new Map(), sameRoles: false, withoutPassword: false, withoutUsernames: false }
const somebody: SourcePerson = { email: 'Ada@Example.com', emailVerified: true, roles: [], isActive: true }

t.test('a person is judged as one who registers', t => {
  const judge = createJudgePerson(judging)
  t.match(judge({ ...somebody, username: 'Ada', firstName: 'Ada' }), { email: 'Ada@Example.com', emailCanonical: 'ada@example.com', usernameCanonical: 'ada', lastName: null, roles: ['user'], passwordHash: null })
  t.equal(judge({ ...somebody, username: 'ADA@example.com' }).username, null, 'the address is no username')
  for (const [wrong, field] of [
    [{ email: 'nobody' }, 'email'],
    [{ username: 'a b' }, 'username'],
    [{ username: 'somebody@example.org' }, 'username'],
    [{ firstName: 'x'.repeat(101) }, 'firstName'],
    [{ lastName: 'a\0b' }, 'lastName'],
    [{ roles: ['editor'] }, 'roles'],
    [{ roles: ['support'] }, 'roles'],
    [{ roles: ['admin'] }, 'roles'],
    [{ password: { refused: 'too dear' } }, 'password']
  ] as const) t.throws(() => judge({ ...somebody, ...wrong }), { name: 'RowRefusal', field }, field)
  t.end()
})

t.test('roles, usernames and passwords as the options say', t => {
  const rolesOf = (roles: string[], options: Partial<JudgeOptions>) => createJudgePerson({ ...judging, ...options })({ ...somebody, roles }).roles
  t.same(rolesOf(['user', 'support'], { sameRoles: true }), ['user', 'support'])
  t.throws(() => rolesOf(['admin'], { sameRoles: true }), { name: 'RowRefusal', field: 'roles' }, 'nobody becomes an administrator by the way')
  t.same(rolesOf(['admin'], { sameRoles: true, roleMap: new Map([['admin', 'admin']]) }), ['user', 'admin'])
  t.same(rolesOf(['superuser', 'staff', 'editors'], { roleMap: new Map([['superuser', 'admin'], ['staff', 'support'], ['editors', '']]) }), ['user', 'admin', 'support'])
  t.same(rolesOf(['a', 'b', 'user'], { roleMap: new Map([['a', 'support'], ['*', '']]) }), ['user', 'support'])
  t.equal(createJudgePerson({ ...judging, withoutUsernames: true })({ ...somebody, username: 'a b' }).username, null)
  t.equal(createJudgePerson({ ...judging, withoutPassword: true })({ ...somebody, password: { refused: 'too dear' } }).passwordHash, null)
  t.end()
})

t.test('moments and names', t => {
  for (const [written, moment] of [
    ['2024-02-03 04:05:06.789123+00', '2024-02-03T04:05:06.789Z'], ['2024-02-03T04:05:06+0130', '2024-02-03T02:35:06.000Z'],
    ['2024-02-03T04:05:06', '2024-02-03T04:05:06.000Z'], ['2024-02-03', '2024-02-03T00:00:00.000Z'],
    ['1611230523301', '2021-01-21T12:02:03.301Z'], [1611230523301, '2021-01-21T12:02:03.301Z'], [1611230523, '2021-01-21T12:02:03.000Z']
  ]) t.equal(readMoment(written)?.toISOString(), moment, String(written))
  for (const none of ['', 'now', '2024-02-30', '2024-13-01T00:00:00Z', '2024-01-01T25:00:00Z', true, {}, NaN, 1e20]) t.equal(readMoment(none), undefined, String(none))
  t.same(splitName('  Ada King  Lovelace '), { firstName: 'Ada King', lastName: 'Lovelace' })
  t.same([splitName('Ada'), splitName(''), splitName(undefined)], [{ firstName: 'Ada' }, {}, {}])
  t.end()
})

t.test('a set of digests answers as a set of the texts', t => {
  fc.assert(fc.property(fc.array(fc.string({ maxLength: 3 }), { minLength: 700, maxLength: 1500, size: 'max' }), texts => {
    const [digests, set] = [createDigestSet(), new Set<string>()]
    return texts.every(text => {
      const isNew = !set.has(text)
      set.add(text)
      return digests.has(text) === !isNew && digests.add(text) === isNew && digests.has(text)
    })
  }), { numRuns: 5 })
  t.end()
})

t.test('whatever the text, a reader answers or says what is wrong', async () => {
  await fc.assert(fc.asyncProperty(fc.constantFrom(...formatNames), fc.oneof(fc.json(), fc.string(), fc.array(fc.json()).map(lines => lines.join('\n'))), async (format, content) => {
    try {
      await readAll(format, sourceOf(content))
    } catch (error) {
      if (!(error instanceof Error) || error.constructor.name !== 'ImportError') throw error
    }
  }), { numRuns: 100 })
})
