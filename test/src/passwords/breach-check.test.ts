import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { createBreachCheck, type BreachCheckOptions } from '../../../src/passwords/breach-check.ts'
import { startHttpServer, type Handler } from '../../helpers/http-server.ts'

const password = 'the engine weaves algebra'
const sha1 = (text: string): string => createHash('sha1').update(text, 'utf8').digest('hex').toUpperCase()
const prefixOf = (text: string): string => sha1(text).slice(0, 5)
const suffixOf = (text: string): string => sha1(text).slice(5)
const others = [`${'0'.repeat(34)}1:3`, `${'F'.repeat(35)}:12`]
const rangeWith = (...lines: string[]): string => [others[0], ...lines, others[1]].join('\r\n')
const answering = (body: string, status = 200): Handler => (_request, response) => { response.writeHead(status).end(body) }

function checkOf (url: string, options: BreachCheckOptions = {}) {
  const reasons: string[] = []
  const isBreached = createBreachCheck(url, { breachTimeoutMs: 30_000, ...options }, { onUnasked: reason => { reasons.push(reason) } })
  return { isBreached, reasons }
}

t.test('only five hex digits of the hash leave the process, and padding is asked for', async t => {
  const asked: { method?: string, url?: string, padding?: string | string[], headers: string }[] = []
  const server = await startHttpServer(t, ({ method, url, headers }, response) => {
    asked.push({ method, url, padding: headers['add-padding'], headers: JSON.stringify(headers) })
    response.end(rangeWith())
  })
  for (const url of [`${server.url}/range`, `${server.url}/range/`]) {
    const { isBreached, reasons } = checkOf(url)
    t.equal(await isBreached(password), false)
    t.same(reasons, [])
  }
  for (const { method, url, padding, headers } of asked) {
    t.match({ method, url, padding }, { method: 'GET', url: `/range/${prefixOf(password)}`, padding: 'true' })
    t.notOk(headers.includes(suffixOf(password)) || headers.includes(password))
  }
  t.equal(asked.length, 2)
})

t.test('a hash of the range is a hit, in whatever case; padding with the count 0 is none', async t => {
  const server = await startHttpServer(t, answering(''))
  const found = async (body: string): Promise<boolean> => {
    server.answer(answering(body))
    const { isBreached, reasons } = checkOf(server.url)
    const breached = await isBreached(password)
    t.same(reasons, [])
    return breached
  }
  t.equal(await found(rangeWith(`${suffixOf(password)}:1`)), true)
  t.equal(await found(`${suffixOf(password).toLowerCase()}:23547\n`), true)
  t.equal(await found(rangeWith(`${suffixOf(password)}:0`)), false)
  t.equal(await found(rangeWith(`${suffixOf('another password')}:9`)), false)
  t.equal(await found(`${suffixOf(password)}:0`), false, 'padding alone')
})

t.test('what cannot be asked, or answers something else, has said nothing: accepted, and told without a trace of the hash', async t => {
  const server = await startHttpServer(t, answering(''))
  const elsewhere = await startHttpServer(t, answering(rangeWith(`${suffixOf(password)}:1`)))
  const hit = `${suffixOf(password)}:1`
  const cases: Array<[string, Handler, RegExp]> = [
    ['500', answering(rangeWith(hit), 500), /status 500/],
    ['404', answering('', 404), /status 404/],
    ['empty', answering(''), /no range/],
    ['garbage', answering('<html>hello</html>'), /no range/],
    ['one bad line', answering(`${rangeWith(hit)}\r\nwhat`), /no range/],
    ['bytes that are no UTF-8', (_request, response) => { response.end(Buffer.from([0xff, 0xfe])) }, /./],
    ['huge, and announced', (_request, response) => { response.writeHead(200, { 'content-length': 10_000_000 }).write('x') }, /larger than 2048 bytes/],
    ['huge, in chunks without end', (_request, response) => {
      const more = () => { while (response.write(`${'0'.repeat(34)}1:3\r\n`)); }
      response.on('drain', more)
      more()
    }, /larger than 2048 bytes/],
    ['a redirect', (_request, response) => { response.writeHead(302, { location: elsewhere.url }).end() }, /./],
    ['no answer', () => {}, /no answer within 200 ms/],
    ['half an answer', (_request, response) => { response.write(others[0]) }, /no answer within 200 ms/],
    ['a broken connection', ({ socket }) => { socket.destroy() }, /./]
  ]
  for (const [name, handler, reason] of cases) {
    server.answer(handler)
    const breachTimeoutMs = reason.source.startsWith('no answer') ? 200 : 30_000
    const { isBreached, reasons } = checkOf(server.url, { breachTimeoutMs, breachMaxRangeBytes: 2048 })
    t.equal(await isBreached(password), false, name)
    t.match(reasons, [reason], name)
    t.notMatch(reasons.join(), new RegExp(prefixOf(password), 'i'), name)
  }
  t.equal(elsewhere.count(), 0, 'redirects are not followed')
  await elsewhere.stop()
  const { isBreached, reasons } = checkOf(elsewhere.url)
  t.equal(await isBreached(password), false)
  t.same(reasons, ['ECONNREFUSED'])
})

t.test('a range is remembered for a while, and only one that was understood', async t => {
  const server = await startHttpServer(t, answering('', 500))
  const { isBreached } = checkOf(server.url, { breachCacheSeconds: 3600 })
  t.equal(await isBreached(password), false)
  server.answer(answering(rangeWith(`${suffixOf(password)}:1`)))
  for (let i = 0; i < 3; i++) t.equal(await isBreached(password), true)
  t.equal(server.count(), 2)
  await server.stop()
  t.equal(await isBreached(password), true, 'without the server, too')
  await server.start()

  const narrow = checkOf(server.url, { breachCachedRanges: 1 })
  server.answer(answering(rangeWith()))
  const before = server.count()
  for (const text of [password, 'another password', password]) await narrow.isBreached(text)
  t.equal(server.count() - before, 3, 'the one that was not used for longest makes room')
})

t.test('a folder of downloaded ranges', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'auth-serve-ranges-'))
  t.teardown(async () => { await rm(folder, { recursive: true }) })
  const url = pathToFileURL(folder).href
  const [plain, named] = ['the engine weaves algebra', 'another password that leaked']
  await writeFile(join(folder, `${prefixOf(named)}.txt`), rangeWith(`${suffixOf(named)}:1`))
  await writeFile(join(folder, prefixOf(plain)), rangeWith(`${suffixOf(plain)}:1`))
  const { isBreached, reasons } = checkOf(url, { breachMaxRangeBytes: 4096 })
  t.equal(await isBreached(named), true, '<PREFIX>.txt')
  t.equal(await isBreached(plain), true, '<PREFIX>')
  t.same(reasons, [])

  await writeFile(join(folder, prefixOf('too large')), 'x'.repeat(5000))
  for (const text of ['too large', 'never downloaded']) t.equal(await isBreached(text), false)
  t.match(reasons, [/larger than 4096 bytes/, 'the folder lacks a range'])
  const absent = checkOf(`${url}/nowhere/`)
  t.equal(await absent.isBreached(plain), false)
  t.same(absent.reasons, ['the folder lacks a range'])
})
