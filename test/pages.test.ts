import t, { type Test } from 'tap'
import type { BrowserContextOptions } from 'playwright-core'
import { createEstimator } from '../src/passwords/estimator.ts'
import { pageNames } from '../src/pages/page-kinds.ts'
import { createTestApp } from './helpers/app.ts'
import { startBrowser, visit } from './helpers/browser.ts'
import { connect, createTestDatabase } from './helpers/database.ts'
import { startFront } from './helpers/front.ts'
import { createMailbox } from './helpers/mailbox.ts'
import { contrasts, openPage } from './helpers/opened-page.ts'
import { bearer, goodPassword, newEmail, post, readMe, signIn, signUp } from './helpers/people.ts'
import { createDatabaseProxy } from './helpers/proxy.ts'
import { until } from './helpers/until.ts'

const adminEmail = 'root@example.com'
const otherPassword = 'seven lanterns over harbour'

t.test('in a browser', async t => {
  const [browser, mailbox, front] = [await startBrowser(t), await createMailbox(t), await startFront(t)]
  const proxy = await createDatabaseProxy(t, await createTestDatabase(t))
  const api = await createTestApp(t, { publicUrl: front.url, mail: { ...mailbox.options, cooldownSeconds: 0 }, accounts: { adminEmail } }, proxy.location)
  front.serve(api.app)
  const sql = connect(proxy.location)
  t.teardown(async () => { await sql.end() })
  const open = async (t: Test, link: string, options?: BrowserContextOptions) => await openPage(t, { browser, front }, link, options)
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
    await sql`update action_tokens set expires_at = now() - interval '1 second' where email = ${email}`
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
    const server = createEstimator()
    t.teardown(async () => { await server.close() })
    const { page, complaints } = await open(t, at('invitation'))
    const field = page.getByLabel('New password')
    t.same([await field.getAttribute('autocomplete'), await field.getAttribute('type')], ['new-password', 'password'])
    const before = front.seen.length
    const estimators = () => front.seen.slice(before).filter(({ url }) => url.includes('zxcvbn')).map(({ url }) => url.replace(/.*\//, ''))
    t.same(estimators(), [])
    await field.pressSequentially('sunshine')
    await page.getByText('Strength: very weak. This is one of the hundred most used passwords. Add another word').waitFor()
    await until('all dictionaries are there', () => estimators().includes('zxcvbn-english.js'))
    for (const [password, text] of [
      ['administration', 'Strength: weak. Add another word or two that are less common.'],
      ['4dm1n1str4t10n', 'less common. Replacing letters, such as "@" for "a", helps little.'],
      ['K7!vQ2p', 'Strength: fair. Use at least 8 characters. Add another word or two that are less common.'],
      [goodPassword, 'Strength: very strong.']
    ] as const) {
      await field.fill(password)
      await page.getByRole('status').filter({ hasText: text }).waitFor()
      t.equal(await page.locator('.strength').getAttribute('data-score'), String((await server.estimate({ password, words: [] })).score), password)
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
    const grounds = new Set()
    for (const colorScheme of ['light', 'dark'] as const) {
      const { page, complaints } = await visit(t, browser, { colorScheme, reducedMotion: 'reduce', viewport: { width: 320, height: 600 } })
      for (const name of pageNames) {
        await page.goto(at(name))
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
      }
      t.same(complaints, [])
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
