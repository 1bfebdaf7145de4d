import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pageKinds, type PageName } from './page-kinds.ts'
import { pagesFolder, type PageTexts } from './texts.ts'

export interface PageSettings {
  texts: PageTexts
  /** URLs relative to the page, without a slash at the end: of the API, and of the assets. */
  api: string
  assets: string
  minLength: number
  minStrength: number
}

/** Makes one page. */
export type RenderPage = (name: PageName, settings: PageSettings) => string

type Values = Record<string, string>

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const escapeHtml = (text: string): string => text.replaceAll(/[&<>"']/g, character => entities[character] ?? character)

/** Fills `{{name}}` with text and `{{{name}}}` with HTML. Throws for a name without a value. */
function fill (template: string, values: Values): string {
  return template.replaceAll(/\{\{(\{?)(\w+)\}?\}\}/g, (_whole, isHtml: string, name: string) => {
    const value = values[name]
    if (value === undefined) throw new Error(`auth-serve pages: no text for ${name}`)
    return isHtml === '' ? escapeHtml(value) : value
  })
}

/** Texts for the script, as inert elements: an inline script would need a hole in the Content-Security-Policy. */
const messageElements = (texts: Values): string =>
  Object.entries(texts).map(([name, text]) => `  <template data-text="${name}">${escapeHtml(text)}</template>\n`).join('')

/** Reads the templates once. */
export async function createRenderPage (): Promise<RenderPage> {
  const [frame, passwordField, againForm] = await Promise.all(['page.html', 'password-field.html', 'again-form.html']
    .map(async name => await readFile(join(pagesFolder, name), 'utf8')))
  if (frame === undefined || passwordField === undefined || againForm === undefined) throw new Error('auth-serve pages: a template is missing')

  return (name, { texts, api, assets, minLength, minStrength }) => {
    const { action, password, again } = pageKinds[name]
    const passwordHint = texts.shared.passwordHint?.replace('{minLength}', String(minLength)) ?? ''
    const values: Values = {
      ...texts.shared,
      ...texts.pages[name],
      language: texts.language,
      passwordHint,
      minLength: String(minLength),
      minStrength: String(minStrength),
      assets,
      action: api + action,
      again: again === undefined ? '' : api + again.path,
      againShown: again?.shown.join(' ') ?? '',
      messages: messageElements(password ? { ...texts.messages, ...texts.advice } : texts.messages)
    }
    return fill(frame, {
      ...values,
      passwordField: password ? fill(passwordField, values) : '',
      againForm: again === undefined ? '' : fill(againForm, values)
    })
  }
}
