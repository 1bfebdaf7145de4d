import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import Fastify, { type FastifyInstance } from 'fastify'
import type { BrowserContextOptions } from 'playwright-core'
import t, { type Test } from 'tap'
import { pagesPlugin } from '../plugins/pages.ts'
import { authServe } from '../src/index.ts'
import { pageNames } from '../src/pages/page-kinds.ts'
import { cheapPasswords, createTestApp, testSecret } from './helpers/app.ts'
import { startBrowser, visit, type Visit } from './helpers/browser.ts'
import { connect, createTestDatabase } from './helpers/database.ts'
import { startFront, type Front } from './helpers/front.ts'
import { createMailbox } from './helpers/mailbox.ts'
import { bearer, goodPassword, newEmail, post, readMe, signIn, signUp } from './helpers/people.ts'
import { createDatabaseProxy } from './helpers/proxy.ts'
import { until } from './helpers/until.ts'

const adminEmail = 'root@example.com'
const otherPassword = 'seven lanterns over harbour'
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

/** What a person sees on the page that is open, and can do there. */
function handle (visit: Visit, front: Front) {
  const { page } = visit
  const heading = async (name: string): Promise<void> => { await page.getByRole('heading', { level: 1, name, exact: true }).waitFor() }
  return {
    ...visit,
    heading,
    press: async (name: string) => { await page.getByRole('button', { name, exact: true }).click() },
    /** Waits for what came of it: the heading is where a screen reader goes on. */
    async outcome (t: Test, name: string): Promise<void> {
      await heading(name)
      t.equal(await page.evaluate('document.activeElement.textContent'), name, 'the focus is on what came of it')
      t.equal(await page.title(), name)
    },
    focused: async () => await page.evaluate<string>('document.activeElement.id || document.activeElement.textContent'),
    /** Calls of the API so far that carry this token. */
    calls: (token: string) => front.seen.filter(({ body }) => body.includes(token)),
    /** The token is nowhere but in bodies, and nothing was against the policy. */
    async isClean (t: Test, token: string): Promise<void> {
      t.same(front.seen.filter(({ url, headers }) => JSON.stringify([url, headers]).includes(token)), [], 'no token in a URL or a header')
      t.same(front.seen.filter(({ headers }) => headers.referer !== undefined || headers.cookie !== undefined), [], 'no Referer, no cookie')
      t.notMatch(page.url(), '#', 'the fragment is gone from the address bar')
      t.same(await page.evaluate('[history.state, localStorage.length, sessionStorage.length, document.cookie]'), [null, 0, 0, ''])
      t.same(visit.complaints, [], 'no violation of the policy, no error')
    }
  }
}

t.test('in a browser', async t => {
  const [browser, mailbox, front] = [await startBrowser(t), await createMailbox(t), await startFront(t)]
  const proxy = await createDatabaseProxy(t, await createTestDatabase(t))
  const api = await createTestApp(t, { publicUrl: front.url, mail: { ...mailbox.options, cooldownSeconds: 0 }, accounts: { adminEmail } }, proxy.location)
  front.serve(api.app)
  const sql = connect(proxy.location)
  t.teardown(async () => { await sql.end() })
  const open = async (t: Test, link: string, options?: BrowserContextOptions) => {
    const opened = handle(await visit(t, browser, options), front)
    await opened.page.goto(link)
    return opened
  }
  const at = (name: string, token = 'no-token-of-ours'): string => `${front.url}/pages/${name}#token=${token}`

  t.test('verify-email: confirms by keyboard alone, once; the link works only while it is fresh', async t => {
    const email = newEmail()
    await post(api, '/auth/register', { email, password: goodPassword })
    const { link, token } = await mailbox.take(email, 'verify-email')
    t.ok(link.startsWith(`${front.url}/pages/verify-email#token=`), 'behind the path of PUBLIC_URL')
    const { page, heading, outcome, calls, isClean, focused } = await open(t, link)
    await heading('Confirm your e\u2011mail address')
    t.same(calls(token), [], 'nothing is posted before the click')
    await page.keyboard.press('Tab')
    t.equal(await focused(), 'Confirm address')
    await page.keyboard.press('Enter')
    await outcome(t, 'Your address is confirmed')
    t.match(calls(token), [{ method: 'POST', url: '/behind/a/path/api/v1/auth/email/verify', body: JSON.stringify({ token }) }])
    const person = await signIn(api, email)
    t.equal((await readMe(api, person.accessToken)).json().emailVerified, true)

    await page.reload()
    await heading('The link is not complete')
    // The same page with a fragment: nothing is loaded anew.
    await page.goto(link)
    await outcome(t, 'Confirm your e\u2011mail address')
    await page.getByRole('button', { name: 'Confirm address' }).click()
    await outcome(t, 'This link does not work any more')
    await isClean(t, token)
  })

  t.test('verify-email: an expired link is no dead end', async t => {
    const email = newEmail()
    await post(api, '/auth/register', { email, password: goodPassword })
    const { link, token } = await mailbox.take(email, 'verify-email')
    await sql`update action_tokens set expires_at = now() - interval '1 second'`
    const { page, press, outcome, focused, isClean } = await open(t, link)
    await press('Confirm address')
    await outcome(t, 'This link does not work any more')
    await press('Send a new link')
    t.equal(await focused(), 'email')
    await page.getByText('Enter your e-mail address.').waitFor()
    await page.getByLabel('Your e-mail address').fill('nonsense')
    await press('Send a new link')
    await page.locator('#email[aria-invalid="true"]').waitFor()
    t.not(await page.locator('#email-error').textContent(), '', 'the message of the API')
    await page.getByLabel('Your e-mail address').fill(email)
    await page.keyboard.press('Enter')
    await outcome(t, 'Look into your mailbox')
    await isClean(t, token)
    const next = await open(t, (await mailbox.take(email, 'verify-email')).link)
    await next.press('Confirm address')
    await next.outcome(t, 'Your address is confirmed')
  })

  t.test('reset-password: the API\'s reasons stand at the field, then the new password is in force', async t => {
    const person = await signUp(api)
    await post(api, '/auth/password/forgot', { email: person.email })
    const { link, token } = await mailbox.take(person.email, 'reset-password')
    const { page, calls, outcome, focused, isClean } = await open(t, link)
    const field = page.getByLabel('New password')
    await field.pressSequentially(person.email)
    t.same(calls(token), [], 'nothing is posted before the form is sent')
    await page.keyboard.press('Enter')
    await page.locator('#password[aria-invalid="true"]').waitFor()
    const { errors } = (await post(api, '/auth/password/reset', { token, password: person.email })).json()
    t.same(await page.locator('#password-error li').allTextContents(), errors.map(({ message }: { message: string }) => message))
    t.equal(await field.inputValue(), person.email, 'what was typed is still there')
    t.equal(await focused(), 'password')
    t.match(await field.getAttribute('aria-describedby'), /password-error/)
    await page.keyboard.press('Control+A')
    await page.keyboard.type(otherPassword)
    await page.keyboard.press('Enter')
    await outcome(t, 'Your new password is set')
    await isClean(t, token)
    await signIn(api, person.email, otherPassword)
    t.equal((await readMe(api, person.accessToken)).json().code, 'SESSION_REVOKED')
  })

  t.test('invitation: chooses the first password', async t => {
    const { link, token } = await mailbox.take(adminEmail, 'invitation')
    const { page, press, calls, heading, outcome, isClean } = await open(t, link)
    await heading('Welcome')
    await press('Set password')
    await page.getByText('Choose a password.').waitFor()
    t.same(calls(token), [], 'an empty field is not sent')
    await page.getByLabel('New password').fill(goodPassword)
    await press('Set password')
    await outcome(t, 'Your account is ready')
    await isClean(t, token)
    await signIn(api, adminEmail)
  })

  t.test('change-email and undo-email-change: there and back, unless somebody else has the address', async t => {
    const [person, email, wanted] = [await signUp(api), newEmail(), newEmail()]
    const ask = async (address: string): Promise<void> => {
      const { accessToken } = await signIn(api, person.email)
      t.equal((await post(api, '/users/me/email', { email: address, password: goodPassword }, bearer(accessToken))).statusCode, 202)
    }
    await ask(wanted)
    const late = await mailbox.take(wanted, 'change-email')
    await post(api, '/auth/register', { email: wanted, password: goodPassword })
    const refused = await open(t, late.link)
    await refused.press('Use this address')
    await refused.outcome(t, 'This is not possible any more')
    await refused.isClean(t, late.token)

    await ask(email)
    const change = await mailbox.take(email, 'change-email')
    const changing = await open(t, change.link)
    await changing.heading('Confirm your new e\u2011mail address')
    t.same(changing.calls(change.token), [])
    await changing.press('Use this address')
    await changing.outcome(t, 'Your account has the new address')
    await changing.isClean(t, change.token)
    await signIn(api, email)

    const undo = await mailbox.take(person.email, 'undo-email-change')
    const undoing = await open(t, undo.link)
    await undoing.heading('Take your old e\u2011mail address back')
    t.same(undoing.calls(undo.token), [])
    await undoing.press('Undo the change')
    await undoing.outcome(t, 'Your account has this address again')
    await undoing.isClean(t, undo.token)
    await signIn(api, person.email)
    t.ok((await mailbox.take(person.email, 'reset-password')).token, 'the mail that the page speaks of')
  })

  t.test('what is typed in a password field is judged, as by the server, in a worker that is loaded when typing begins', async t => {
    const { page, complaints } = await open(t, at('invitation'))
    const field = page.getByLabel('New password')
    t.same([await field.getAttribute('autocomplete'), await field.getAttribute('type')], ['new-password', 'password'])
    const estimators = () => front.seen.filter(({ url }) => url.includes('zxcvbn')).map(({ url }) => url.replace(/.*\//, ''))
    t.same(estimators(), [])
    await field.pressSequentially('sunshine')
    await page.getByText('Strength: very weak. This is one of the hundred most used passwords. Add another word').waitFor()
    await until('all dictionaries are there', () => estimators().includes('zxcvbn-english.js'))
    for (const [password, text] of [
      ['administration', 'Strength: weak. Add another word or two that are less common.'],
      ['K7!vQ2p', 'Strength: fair. Use at least 8 characters. Add another word or two that are less common.'],
      [goodPassword, 'Strength: very strong.']
    ] as const) {
      await field.fill(password)
      await page.getByRole('status').filter({ hasText: text }).waitFor()
    }
    await field.fill('')
    await page.locator('#advice:empty').waitFor({ state: 'attached' })
    t.same(complaints, [])
  })

  t.test('a password can be pasted, shown and hidden', async t => {
    const { page, press } = await open(t, at('reset-password'), { permissions: ['clipboard-read', 'clipboard-write'] })
    await page.evaluate(`navigator.clipboard.writeText('${goodPassword}')`)
    const field = page.getByLabel('New password')
    await field.focus()
    await page.keyboard.press('Control+V')
    t.equal(await field.inputValue(), goodPassword)
    await press('Show password')
    t.equal(await field.getAttribute('type'), 'text')
    await page.getByText('The password is shown.').waitFor({ state: 'attached' })
    await press('Hide password')
    t.equal(await field.getAttribute('type'), 'password')
  })

  t.test('trouble keeps the page and what was typed: no network, no database, too many tries', async t => {
    const limited = await createTestApp(t, { rateLimit: { policies: { credentials: { max: 1 } } } }, proxy.location)
    const { page, press, outcome } = await open(t, at('reset-password'))
    const field = page.getByLabel('New password')
    await field.fill(goodPassword)
    const told = async (text: string | RegExp): Promise<void> => {
      await press('Set new password')
      await page.getByRole('alert').filter({ hasText: text }).waitFor()
      t.equal(await field.inputValue(), goodPassword)
    }
    await page.context().setOffline(true)
    await told('You seem to be offline.')
    await page.context().setOffline(false)
    await proxy.cut()
    await told(/cannot do this at the moment\. Nothing is lost: try again in \d+ seconds?\./)
    await proxy.restore()
    front.serve(limited.app)
    await limited.request({ method: 'POST', url: '/api/v1/auth/email/verify', payload: { token: 'x' } })
    await told(/too many tries\. Nothing is lost: try again in \d+ seconds\./)
    front.serve(api.app)
    await until('the database is back', async () => (await api.app.inject('/readiness')).statusCode === 200, 20)
    await press('Set new password')
    await outcome(t, 'This link does not work any more')
    t.equal(await field.inputValue(), '', 'the password of a dead link is forgotten')
  })

  t.test('readable in the dark and in the light, on a narrow screen, with large letters, without motion', async t => {
    const contrasts = `[...document.querySelectorAll('main, h1, p, label, li, input, button')].filter(element => element.checkVisibility() && element.textContent !== '').map(element => {
      const channels = color => color.match(/[\\d.]+/g).map(Number)
      const luminance = color => channels(color).slice(0, 3).map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4).reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0)
      let ground = element
      while ((channels(getComputedStyle(ground).backgroundColor)[3] ?? 1) === 0) ground = ground.parentElement
      const [low, high] = [luminance(getComputedStyle(element).color), luminance(getComputedStyle(ground).backgroundColor)].sort((a, b) => a - b)
      return (high + 0.05) / (low + 0.05)
    })`
    const grounds = new Set()
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const name of pageNames) {
        const { page, complaints } = await open(t, at(name), { colorScheme, reducedMotion: 'reduce', viewport: { width: 320, height: 600 } })
        const field = page.locator('#password')
        const examine = async (state: string): Promise<void> => {
          const ratios = await page.evaluate<number[]>(contrasts)
          t.ok(ratios.length > 3 && ratios.every(ratio => ratio >= 4.5), `${name} ${state} ${colorScheme}: contrast (WCAG 1.4.3, AA)`, { ratios })
          t.ok(await page.evaluate<number>('document.documentElement.scrollWidth') <= 320, `${name} ${state}: no scrolling sideways at 320 pixels (WCAG 1.4.10)`)
        }
        await page.locator('#action').waitFor()
        t.equal(await page.evaluate('getComputedStyle(document.querySelector("button")).transitionDuration'), '0s')
        grounds.add(await page.evaluate('getComputedStyle(document.body).backgroundColor'))
        if (await field.count() > 0) {
          await page.locator('#action button.main').click()
          await page.getByText('Choose a password.').waitFor()
        }
        await examine('ready')
        if (await field.count() > 0) await field.fill(goodPassword)
        await page.locator('#action button.main').click()
        await page.getByRole('heading', { name: 'does not work any more' }).waitFor()
        await examine('with a dead link')
        t.same(complaints, [])
      }
    }
    t.equal(grounds.size, 2)
    const { page } = await open(t, at('reset-password'), { viewport: { width: 640, height: 600 } })
    await page.evaluate('document.documentElement.style.fontSize = "200%"')
    t.ok(await page.evaluate<number>('document.documentElement.scrollWidth') <= 640, 'letters twice as large (WCAG 1.4.4)')
  })

  t.test('without JavaScript the page says what it needs', async t => {
    const { page } = await open(t, at('verify-email'), { javaScriptEnabled: false })
    await page.getByText('This page needs JavaScript.').waitFor()
    t.equal(await page.locator('form').filter({ visible: true }).count(), 0, 'and has no form that would go astray')
  })
})
