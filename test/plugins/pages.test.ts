import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import Fastify, { type FastifyInstance } from 'fastify'
import t from 'tap'
import { pagesPlugin } from '../../plugins/pages.ts'
import { authServe } from '../../src/index.ts'
import { pageNames } from '../../src/pages/page-kinds.ts'
import { cheapPasswords, createTestApp, testSecret } from '../helpers/app.ts'
import { createTestDatabase } from '../helpers/database.ts'

const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

/** Every URL that a page names, resolved as a browser would. */
function urlsOf (html: string, path: string): { action: string, assets: string[] } {
  const resolve = (url: string | undefined): string => new URL(String(url), `http://x${path}`).pathname
  return {
    action: resolve(/data-action="([^"]+)"/.exec(html)?.[1]),
    assets: [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url]) => resolve(url))
  }
}

t.test('over HTTP', async t => {
  const api = await createTestApp(t)
  const { app } = api

  t.test('each page is static HTML under a strict policy, whatever is in the query', async t => {
    for (const name of pageNames) {
      const page = await app.inject(`/pages/${name}?utm_source=mail`)
      t.equal(page.statusCode, 200, name)
      t.match(page.headers, {
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy': policy,
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY'
      }, name)
      t.match(page.body, /<html lang="en">/)
      t.notMatch(page.body, /<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|\{\{/, 'no inline script or style, no hole in the template')
      const head = await app.inject({ method: 'HEAD', url: `/pages/${name}` })
      t.match(head, { statusCode: 200, body: '' })
      t.same(head.headers['content-length'], page.headers['content-length'])
    }
  })

  t.test('unknown pages and other methods are answered as everywhere', async t => {
    for (const url of ['/pages', '/pages/', '/pages/login', '/pages/verify-email/', '/pages/assets/x/nothing.js', '/pages/texts/en.json']) {
      t.equal((await api.request({ url })).json().code, 'NOT_FOUND', url)
    }
    for (const url of ['/pages/verify-email', '/pages/assets/x/page.js']) {
      const response = await api.request({ method: 'POST', url, payload: {} })
      t.match(response, { statusCode: 405, headers: { allow: 'GET, HEAD' } }, url)
    }
    t.notMatch((await app.inject('/docs/json')).body, '/pages/', 'the pages are no operations of the API')
  })

  t.test('assets are kept for good under the name of their release, compressed, and asked for again under any other', async t => {
    const { assets } = urlsOf((await app.inject('/pages/invitation')).body, '/pages/invitation')
    t.match(assets, [/style\.css$/, /page\.js$/])
    for (const url of [...assets, ...['core', 'common', 'english'].map(part => String(assets[1]).replace('page.js', `zxcvbn-${part}.js`))]) {
      const plain = await app.inject(url)
      t.match(plain, { statusCode: 200, headers: { 'cache-control': /^public, max-age=31536000, immutable$/, 'content-security-policy': policy, vary: 'Accept-Encoding' } }, url)
      t.match(plain.headers['content-type'], url.endsWith('.css') ? /^text\/css/ : /^text\/javascript/)
      const brotli = await app.inject({ url, headers: { 'accept-encoding': 'gzip, deflate, br;q=0.5' } })
      t.equal(brotli.headers['content-encoding'], 'br')
      t.ok(brotliDecompressSync(brotli.rawPayload).equals(plain.rawPayload))
      const gzip = await app.inject({ url, headers: { 'accept-encoding': 'gzip, br;q=0' } })
      t.equal(gzip.headers['content-encoding'], 'gzip')
      t.ok(gunzipSync(gzip.rawPayload).equals(plain.rawPayload))
      t.equal(new Set([plain, brotli, gzip].map(({ headers }) => headers.etag)).size, 3, 'one tag for each coding')
      const held = await app.inject({ url, headers: { 'if-none-match': String(plain.headers.etag) } })
      t.match(held, { statusCode: 304, body: '' })
    }
    const other = await app.inject('/pages/assets/another-release/page.js')
    t.match(other, { statusCode: 200, headers: { 'cache-control': 'no-cache' } })
  })
})

t.test('inside a host: two instances call each its own API, one has no pages', async t => {
  const host: FastifyInstance = Fastify()
  t.teardown(async () => { await host.close() })
  const common = { database: await createTestDatabase(t), secrets: [testSecret], jwt: { issuer: 'https://issuer.test' }, passwords: { ...cheapPasswords, minLength: 12 } }
  await host.register(authServe, { ...common, prefix: '/first', apiPrefix: '/v1' })
  await host.register(authServe, { ...common, prefix: '/deep/second' })
  await host.register(authServe, { ...common, prefix: '/third', pages: false })
  await host.register(pagesPlugin, { path: '/a/b/c', apiPath: '/api' })
  for (const [path, action] of [
    ['/first/pages/reset-password', '/first/v1/auth/password/reset'],
    ['/deep/second/pages/reset-password', '/deep/second/auth/password/reset'],
    ['/a/b/c/reset-password', '/api/auth/password/reset']
  ] as const) {
    const { body } = await host.inject(path)
    const urls = urlsOf(body, path)
    t.equal(urls.action, action)
    for (const url of urls.assets) t.equal((await host.inject(url)).statusCode, 200, url)
  }
  t.match((await host.inject('/first/pages/invitation')).body, /At least 12 characters/)
  t.equal((await host.inject('/third/pages/reset-password')).statusCode, 404)
  await t.rejects(async () => await Fastify().register(pagesPlugin, { path: 'pages' }), { message: /auth-serve pages: invalid options: \/path/ })
})
