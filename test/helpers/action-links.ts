import type { LightMyRequestResponse } from 'fastify'
import type { TestApp } from './app.ts'
import type { ReceivedMail, TestMailbox } from './mailbox.ts'
import { post } from './people.ts'

/** What an answer says, without what differs from one request to the next. */
export function problemOf (response: LightMyRequestResponse): object {
  const { requestId, instance, ...problem } = response.json()
  return problem
}

/** A link that sets a new password, on the way that everybody gets one. */
export async function resetTokenFor (api: TestApp, mailbox: TestMailbox, email: string): Promise<string> {
  await post(api, '/auth/password/forgot', { email })
  return (await mailbox.take(email, 'reset-password')).token
}

/** The next notice of this kind; others that came before it are left. */
export async function noticeOf (mailbox: TestMailbox, email: string, notice: string): Promise<ReceivedMail> {
  for (;;) {
    const mail = await mailbox.take(email, 'security-notice')
    if (mail.notice === notice) return mail
  }
}

/** Texts that are no token. */
export const noTokens = ['', 'x', '\u0000', 'ä'.repeat(50), 'A'.repeat(43), 'A'.repeat(100_000), '../../etc/passwd', "' or 1=1 --", 'null', '🔑']
