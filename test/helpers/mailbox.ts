import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { simpleParser, type ParsedMail } from 'mailparser'
import type { Test } from 'tap'
import { canonicalEmail } from '../../src/accounts/email.ts'
import { temporaryFolder } from './service.ts'
import { until } from './until.ts'

/** A mail as it arrived; what a mail does not have is an empty text. */
export interface ReceivedMail {
  subject: string
  text: string
  html: string
  headers: ParsedMail['headers']
  /** As the text part shows it. */
  link: string
  /** The token of the link. */
  token: string
  /** What a security notice tells. */
  notice: string
}

/** A folder that the service writes its mails to. */
export interface TestMailbox {
  /** For the service, or its MAIL_DIR. */
  options: { directory: string, pollMs: number }
  /** Waits for the next mail of this template to the address that was not taken yet, in the order in which they were owed. */
  take(address: string, template: string): Promise<ReceivedMail>
  /** Mails to the address so far, taken or not. */
  count(address: string, template?: string): Promise<number>
}

/** Parsers show the domain as people read it. */
const canonical = (address: string): string => canonicalEmail(address) ?? address

interface Letter { name: string, address: string, template: string, received: ReceivedMail }

function read (name: string, parsed: ParsedMail): Letter {
  const { html, headers, to } = parsed
  const [subject, text] = [parsed.subject ?? '', parsed.text ?? '']
  const header = (key: string): string => String(headers.get(key) ?? '')
  const [link = '', token = ''] = /https?:\/\/\S+#token=(\S+)/.exec(text) ?? []
  const address = (Array.isArray(to) ? undefined : to?.value[0]?.address) ?? ''
  return {
    name,
    address: canonical(address),
    template: header('x-template'),
    received: { subject, text, html: typeof html === 'string' ? html : '', headers, link, token: decodeURIComponent(token), notice: header('x-notice') }
  }
}

export async function createMailbox (t: Test): Promise<TestMailbox> {
  const directory = join(await temporaryFolder(t), 'mail')
  const letters = new Map<string, Letter>()
  const taken = new Set<string>()

  async function lettersTo (address: string, template?: string): Promise<Letter[]> {
    const names = await readdir(directory).catch(() => [])
    for (const name of names.filter(name => name.endsWith('.eml') && !letters.has(name))) {
      letters.set(name, read(name, await simpleParser(await readFile(join(directory, name)))))
    }
    return [...letters.values()]
      .filter(letter => letter.address === canonical(address) && (template === undefined || letter.template === template))
      .sort((a, b) => a.name < b.name ? -1 : 1)
  }

  return {
    options: { directory, pollMs: 100 },
    async take (address, template) {
      let next: Letter | undefined
      await until(`a mail ${template} to ${address} arrives`, async () => {
        next = (await lettersTo(address, template)).find(({ name }) => !taken.has(name))
        return next !== undefined
      })
      if (next === undefined) throw new Error('unreachable')
      taken.add(next.name)
      return next.received
    },
    count: async (address, template) => (await lettersTo(address, template)).length
  }
}
