import type { Browser, BrowserContextOptions } from 'playwright-core'
import type { Test } from 'tap'
import { visit } from './browser.ts'
import type { Front } from './front.ts'

/** Opens a link that leads through `front`: what a person sees there and can do, and whether the token stayed a secret. */
export async function openPage (t: Test, { browser, front }: { browser: Browser, front: Front }, link: string, options: BrowserContextOptions = {}) {
  const opened = await visit(t, browser, options)
  const { page, complaints } = opened
  await page.goto(link)
  const heading = async (name: string): Promise<void> => { await page.getByRole('heading', { level: 1, name, exact: true }).waitFor() }
  return {
    ...opened,
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
      t.same(complaints, [], 'no violation of the policy, no error')
    }
  }
}

/** A script that answers the contrast of every visible text with what is behind it (WCAG 2.2, 1.4.3). */
export const contrasts = `[...document.querySelectorAll('main, h1, p, label, li, input, button')].filter(element => element.checkVisibility() && element.textContent !== '').map(element => {
  const channels = color => color.match(/[\\d.]+/g).map(Number)
  const luminance = color => channels(color).slice(0, 3).map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4).reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0)
  let ground = element
  while ((channels(getComputedStyle(ground).backgroundColor)[3] ?? 1) === 0) ground = ground.parentElement
  const [low, high] = [luminance(getComputedStyle(element).color), luminance(getComputedStyle(ground).backgroundColor)].sort((a, b) => a - b)
  return (high + 0.05) / (low + 0.05)
})`
