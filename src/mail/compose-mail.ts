import type { ResolvedMail } from './resolve-order.ts'
import { oneLine } from './one-line.ts'
import { hostOf, type Mailbox, type OutgoingMail } from './outgoing-mail.ts'
import { render } from './templates.ts'
import type { MailTemplates } from './mail-values.ts'

/**
 * Puts a mail in words and gives it its headers. The Message-ID is that of the order, so that mailboxes may tell a mail that
 * came twice (RFC 5322, 3.6.4); machines are told to send no answer (RFC 3834, 5). Throws what a template throws.
 */
export function composeMail (id: string, resolved: ResolvedMail, { from, templates }: { from: Mailbox, templates: MailTemplates }): OutgoingMail {
  const { subject, text, html } = render(templates, resolved)
  return {
    messageId: `<${id}@${hostOf(from)}>`,
    date: new Date(),
    from,
    to: { name: '', address: resolved.recipient },
    subject: oneLine(subject),
    text,
    html,
    headers: {
      'Auto-Submitted': 'auto-generated',
      'X-Template': resolved.template,
      ...resolved.template === 'security-notice' && { 'X-Notice': resolved.values.notice }
    }
  }
}
