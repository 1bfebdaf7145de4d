import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { buildInputApp as build, json, send } from '../helpers/input.ts'

t.test('a valid body reaches the handler as it was sent', async t => {
  const app = await build(t)
  const body = { email: 'Ada@Example.com', password: ' x ' }
  t.match(await send(app, '/a/login', JSON.stringify(body)), { status: 200, body })
  for (const type of ['application/json; charset=utf-8', 'Application/JSON;charset="UTF-8"', 'application/merge-patch+json']) {
    t.match(await send(app, '/a/login', JSON.stringify(body), { 'content-type': type }), { status: 200, body }, type)
  }
})

t.test('a body that has no one meaning is 400', async t => {
  const app = await build(t)
  const deep = '['.repeat(100_000) + ']'.repeat(100_000)
  for (const body of ['', ' ', '{', 'hunter2', deep, '{"email":"a@b.de","email":"c@d.de","password":"x"}', '{"password":"x","passwor\\u0064":"y"}', '{"__proto__":{"a":1}}', '{"constructor":{"prototype":{"a":1}}}', Buffer.from([0x22, 0xFF, 0x22])]) {
    const started = performance.now()
    const answer = await send(app, '/a/login', body)
    t.match(answer, { status: 400, code: 'MALFORMED_REQUEST' }, String(body).slice(0, 40))
    t.notMatch(JSON.stringify(answer), 'hunter2')
    t.ok(performance.now() - started < 1000)
  }
  const shallow = await build(t, { maxDepth: 1 })
  t.match(await send(shallow, '/a/login', '{"password":{}}'), { status: 400, code: 'MALFORMED_REQUEST' })
})

t.test('wrong fields are 422 with a pointer each', async t => {
  const app = await build(t)
  t.match(await send(app, '/a/login', '{"email":"nope","password":"","a/b":1}'), {
    status: 422,
    code: 'INVALID_INPUT',
    errors: [{ path: '/body/a~1b', code: 'unknown' }, { path: '/body/email', code: 'format' }, { path: '/body/password', code: 'too_short' }]
  })
  for (const body of ['{"password":"x"}', '{"email":"a@b.de","username":"ada","password":"x"}']) {
    t.match(await send(app, '/a/login', body), { status: 422, errors: [{ path: '/body/email', code: 'exactly_one' }, { path: '/body/username', code: 'exactly_one' }] })
  }
  for (const field of ['text', 'secret']) {
    for (const text of ['\\u0000', 'a\\u0000b', '\\ud800', '\\udc00x']) {
      t.match(await send(app, '/a/text', `{"${field}":"${text}"}`), { status: 422, errors: [{ path: `/body/${field}`, code: 'format' }] }, text)
    }
  }
  for (const body of ['[]', '5', '"x"']) t.match(await send(app, '/a/login', body), { status: 422, errors: [{ path: '/body', code: 'type' }] })
  t.match(await send(app, '/a/login', undefined, {}), { status: 422, errors: [{ path: '/body', code: 'required' }] }, 'no body and no type')
  t.match(await send(app, '/a/login', 'null'), { status: 422, errors: [{ path: '/body', code: 'required' }] })
  t.notMatch(JSON.stringify(await send(app, '/a/text', '{"secret":"hunter2\\u0000"}')), 'hunter2')
})

t.test('other media types are 415 and never an unvalidated body', async t => {
  const app = await build(t)
  const body = '{"email":"a@b.de","password":"x"}'
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/xml', 'application/octet-stream', 'text/json', 'application/jsonx', 'application/json, text/plain', 'application/json; charset=utf-16', 'application/json; charset = latin1', 'application/json; charset', 'json', '*/*', 'application/json/x', 'application/+json']) {
    t.match(await send(app, '/a/login', body, { 'content-type': type }), { status: 415 }, type)
    t.match(await send(app, '/a/bodyless', body, { 'content-type': type }), { status: 415 }, `${type} to a route without a body`)
  }
  t.match(await send(app, '/a/login', Buffer.from(body), {}), { status: 415 }, 'no type at all')
  for (const coding of ['gzip', 'GZIP', 'br', 'identity, gzip', 'x']) {
    t.match(await send(app, '/a/login', gzipSync(body), { ...json, 'content-encoding': coding }), { status: 415, code: 'UNSUPPORTED_MEDIA_TYPE', headers: { 'accept-encoding': 'identity', connection: 'close' } }, coding)
  }
  t.match(await send(app, '/a/login', body, { ...json, 'content-encoding': 'Identity' }), { status: 200 })
})

t.test('a route without a body schema takes an empty body or none', async t => {
  const app = await build(t)
  for (const method of ['POST', 'DELETE'] as const) {
    for (const type of ['application/json', 'application/json; charset=utf-8', 'application/vnd.x+json']) {
      t.match(await send(app, '/a/bodyless', '', { 'content-type': type }, method), { status: 200, body: 'none' }, `${method} ${type}`)
    }
    t.match(await send(app, '/a/bodyless', undefined, {}, method), { status: 200, body: 'none' })
    t.match(await send(app, '/a/bodyless', '{}', json, method), { status: 200 })
    for (const body of ['{"a":1}', '[1]', '1']) t.match(await send(app, '/a/bodyless', body, json, method), { status: 422, code: 'INVALID_INPUT', errors: [{ path: '/body', code: 'unknown' }] }, body)
    t.match(await send(app, '/a/bodyless', '{', json, method), { status: 400 })
  }
})

t.test('unknown, repeated and loosely spelled query parameters are 422', async t => {
  const app = await build(t)
  const get = async (url: string) => { const response = await app.inject(url); return { status: response.statusCode, ...response.json<object>() } }
  t.match(await get('/a/list'), { status: 200, query: { limit: 50 } })
  t.match(await get('/a/list?limit=7'), { status: 200, query: { limit: 7 } })
  for (const limit of ['0x10', '%201', '1e2', '', '7&limit=8', '7&limit=7']) t.match(await get(`/a/list?limit=${limit}`), { status: 422, errors: [{ path: '/query/limit', code: 'type' }] }, limit)
  t.match(await get('/a/list?limit=201'), { status: 422, errors: [{ path: '/query/limit', code: 'maximum' }] })
  for (const url of ['/a/list?x=1', '/a?x=1', '/a/?x=1', '/a/users/01920000-0000-7000-8000-000000000001?x=1']) t.match(await get(url), { status: 422, errors: [{ path: '/query/x', code: 'unknown' }] }, url)
  t.match(await get('/a?__proto__=1'), { status: 422, errors: [{ path: '/query/__proto__', code: 'unknown' }] })
  t.match(await get('/a?'), { status: 200 })
  t.match(await send(app, '/a/bodyless?x=1', undefined, {}), { status: 422, errors: [{ path: '/query/x', code: 'unknown' }] })
  t.equal((await app.inject({ method: 'HEAD', url: '/a/list?x=1' })).statusCode, 422)
  t.match(await get('/a/users/nope'), { status: 422, errors: [{ path: '/params/id', code: 'format' }] })
  t.match(await get('/a/users/01920000-0000-7000-8000-000000000001'), { status: 200 })
})

t.test('bodies beyond the limit are 413, chunked ones too, and an unknown path stays 404', async t => {
  const app = await build(t, { bodyLimit: 100_000 })
  const megabyte = Buffer.alloc(2 ** 20, 'a')
  const chunked = Readable.from(Array<Buffer>(10).fill(megabyte))
  t.equal((await app.inject({ method: 'POST', url: '/a/login', headers: { ...json, 'transfer-encoding': 'chunked' }, payload: chunked })).statusCode, 413)
  t.equal((await app.inject({ method: 'POST', url: '/a/login', headers: json, payload: megabyte })).statusCode, 413)
  t.match(await send(app, '/a/text', JSON.stringify({ text: 'a'.repeat(90_000) })), { status: 200 })
  t.match(await send(app, '/a/limited', ' '.repeat(65)), { status: 413 }, 'a route may have a limit of its own')
  for (const [body, headers] of [['{', json], ['x', { 'content-type': 'text/plain' }], ['x', { ...json, 'content-encoding': 'gzip' }], ['{"a":1}', json]] as const) {
    t.equal((await app.inject({ method: 'POST', url: '/a/nowhere', headers, payload: body })).statusCode, 404, body)
  }
})
