import type { ActionPurpose } from '../db/action-tokens.ts'
import type { Notice } from './order-mail.ts'

/** What every mail may say. */
export interface CommonValues {
  /** Whom it is from: the name of the sender, or the host of its address. */
  service: string
  /** Where it goes. */
  address: string
  /** What the person is called; null to an address that they have not proven, which may be somebody else's. */
  name: string | null
}

/** A mail that brings a link. */
export interface LinkValues extends CommonValues {
  /** Where the link leads, the token in its fragment. */
  link: string
  /** Seconds for which the link is good. */
  lifeSeconds: number
}

/** Somebody registered with an address or username that is taken, or wanted the address for an account that exists. */
export interface AlreadyRegisteredValues extends CommonValues {
  /** What is taken: the address of a registration, its username, or the new address of an account. */
  taken: 'email' | 'username' | 'new-email'
}

/** Something happened to the account. */
export interface NoticeValues extends CommonValues {
  notice: Notice
  /** When it happened. */
  at: Date
  /** What it was done with, such as "Firefox on Linux"; null where nothing is known of it. */
  device: string | null
  ipAddress: string | null
  /** The new address of the account, where the notice is about that. */
  newEmail: string | null
  /** The roles that the person has now, where the notice is about that. */
  roles: string | null
}

/** The values of each mail. */
export type MailValues = Record<ActionPurpose, LinkValues> & { 'already-registered': AlreadyRegisteredValues, 'security-notice': NoticeValues }

/** A mail in words. */
export interface RenderedMail { subject: string, text: string, html: string }

/** Puts each mail in words. The text part must show the link, too. */
export type MailTemplates = { [T in keyof MailValues]: (values: MailValues[T]) => RenderedMail }

/** A mail and its values. */
export type MailContent = { [T in keyof MailValues]: { template: T, values: MailValues[T] } }[keyof MailValues]
