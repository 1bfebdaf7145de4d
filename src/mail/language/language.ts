import type { MailValues } from '../mail-values.ts'

/** What a mail says, in parts; the layout makes text and HTML of it. Nothing in it is markup. */
export interface MailWords {
  subject: string
  paragraphs: string[]
  /** What the link is called, where there is one. */
  action?: string
  /** Facts with their names, one a line. */
  facts?: [name: string, value: string][]
  /** What follows the link and the facts. */
  closing: string[]
}

/** Every text of the mails in one language. */
export interface MailLanguage {
  /** BCP 47 tag. */
  tag: string
  greeting (name: string | null): string
  /** Where the link stands once more to be copied. */
  linkHint: string
  /** Why somebody got the mail. */
  footer (service: string, address: string): string
  words: { [T in keyof MailValues]: (values: MailValues[T]) => MailWords }
}
