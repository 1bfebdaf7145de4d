import type { MailLanguage, MailWords } from './language/language.ts'
import type { CommonValues, MailContent, MailTemplates, MailValues, RenderedMail } from './mail-values.ts'

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** For text and quoted attribute values in HTML. */
export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, character => entities[character] ?? character)

const paragraph = (text: string): string => `<p style="margin:0 0 16px">${escapeHtml(text)}</p>`

function buttonOf (action: string, link: string, hint: string): string {
  const href = escapeHtml(link)
  return `<p style="margin:0 0 16px"><a href="${href}" style="display:inline-block;padding:12px 20px;border-radius:6px;background:#1f5fbf;color:#ffffff;text-decoration:none">${escapeHtml(action)}</a></p>
${paragraph(hint)}<p style="margin:0 0 16px;word-break:break-all"><a href="${href}">${href}</a></p>`
}

const factOf = ([name, value]: [string, string]): string =>
  `<tr><td style="padding:2px 16px 2px 0;vertical-align:top">${escapeHtml(name)}</td><td style="padding:2px 0">${escapeHtml(value)}</td></tr>`

function toHtml (language: MailLanguage, words: MailWords, { name, service, address, link }: CommonValues & { link?: string }): string {
  const parts = [
    paragraph(language.greeting(name)),
    ...words.paragraphs.map(paragraph),
    ...words.action === undefined || link === undefined ? [] : [buttonOf(words.action, link, language.linkHint)],
    ...words.facts === undefined ? [] : [`<table role="presentation" style="margin:0 0 16px;border-collapse:collapse">${words.facts.map(factOf).join('')}</table>`],
    ...words.closing.map(paragraph)
  ]
  return `<!doctype html>
<html lang="${escapeHtml(language.tag)}">
<head><meta charset="utf-8"><meta name="color-scheme" content="light dark"><meta name="viewport" content="width=device-width"><title>${escapeHtml(words.subject)}</title></head>
<body style="margin:0;padding:24px;font:16px/1.5 system-ui,sans-serif"><div style="max-width:560px;margin:0 auto">
${parts.join('\n')}
<p style="margin:24px 0 0;font-size:13px;opacity:.7">${escapeHtml(language.footer(service, address))}</p>
</div></body>
</html>
`
}

function toText (language: MailLanguage, words: MailWords, { name, service, address, link }: CommonValues & { link?: string }): string {
  const parts = [
    language.greeting(name),
    ...words.paragraphs,
    ...words.action === undefined || link === undefined ? [] : [`${words.action}:\n${link}`],
    ...words.facts === undefined ? [] : [words.facts.map(([fact, value]) => `${fact}: ${value}`).join('\n')],
    ...words.closing
  ]
  return `${parts.join('\n\n')}\n\n-- \n${language.footer(service, address)}\n`
}

/** The mails of the service in a language, as text and as HTML in which everything is escaped. */
export function createTemplates (language: MailLanguage): MailTemplates {
  const template = <T extends keyof MailValues>(kind: T) => (values: MailValues[T]): RenderedMail => {
    const words: MailWords = language.words[kind](values)
    return { subject: words.subject, text: toText(language, words, values), html: toHtml(language, words, values) }
  }
  return {
    'verify-email': template('verify-email'),
    'reset-password': template('reset-password'),
    'change-email': template('change-email'),
    'undo-email-change': template('undo-email-change'),
    invitation: template('invitation'),
    'already-registered': template('already-registered'),
    'security-notice': template('security-notice')
  }
}

/** Puts a mail in words. */
export function render (templates: MailTemplates, content: MailContent): RenderedMail {
  const inWords = <T extends keyof MailValues>(kind: T, values: MailValues[T]): RenderedMail => templates[kind](values)
  switch (content.template) {
    case 'already-registered': return inWords(content.template, content.values)
    case 'security-notice': return inWords(content.template, content.values)
    default: return inWords(content.template, content.values)
  }
}
