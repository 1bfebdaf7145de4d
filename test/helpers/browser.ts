import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core'
import type { Test } from 'tap'

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome']

/** Chromium or Chrome: that of CHROMIUM_PATH, else the first one in PATH. */
async function findChromium (): Promise<string> {
  const { CHROMIUM_PATH: given, PATH = '' } = process.env
  const candidates = given === undefined ? PATH.split(delimiter).flatMap(folder => names.map(name => join(folder, name))) : [given]
  for (const candidate of candidates) {
    if (await access(candidate, constants.X_OK).then(() => true, () => false)) return candidate
  }
  throw new Error('this test needs Chromium or Chrome in PATH, or its path in CHROMIUM_PATH; install it, on Debian with: apt-get install chromium')
}

/** One browser for a test file. */
export async function startBrowser (t: Test): Promise<Browser> {
  // Chromium's sandbox does not start as root.
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  const browser = await chromium.launch({ executablePath: await findChromium(), args })
  t.teardown(async () => { await browser.close() })
  return browser
}

/** A page in a profile of its own, and what it did. */
export interface Visit {
  page: Page
  /** Errors and warnings of the console (violations of the Content-Security-Policy are among them), and requests for files that failed. */
  complaints: string[]
}

export async function visit (t: Test, browser: Browser, options: BrowserContextOptions = {}): Promise<Visit> {
  const context = await browser.newContext(options)
  t.teardown(async () => { await context.close() })
  context.setDefaultTimeout(20_000)
  const page = await context.newPage()
  const complaints: string[] = []
  context.on('response', response => {
    if (response.request().method() === 'GET' && response.status() >= 400) complaints.push(`${response.status()} ${response.url()}`)
  })
  context.on('weberror', error => { complaints.push(String(error.error())) })
  context.on('console', message => {
    // Chromium's own line about an answer of 4xx or 5xx, which for the API is no fault of the page.
    if (['error', 'warning'].includes(message.type()) && !message.text().startsWith('Failed to load resource')) complaints.push(message.text())
  })
  return { page, complaints }
}
