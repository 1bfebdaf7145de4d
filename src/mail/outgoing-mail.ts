import addressparser from 'nodemailer/lib/addressparser'

/** A mail as nodemailer takes it: addresses in parts, so that nothing in them is taken for another address. */
export interface OutgoingMail {
  messageId: string
  date: Date
  from: Mailbox
  to: Mailbox
  subject: string
  text: string
  html: string
  headers: Record<string, string>
}

export interface Mailbox { name: string, address: string }

/** Takes the mails of the service further. */
export interface MailTransport {
  /** Resolves once the mail is in other hands. `signal` is aborted when nobody waits for that any more. */
  send(mail: OutgoingMail, signal: AbortSignal): Promise<void>
  close(): void
}

/**
 * What a host may give in place of a server: the `sendMail` of nodemailer, or of something that knows better. An error with
 * `code` EENVELOPE or EMESSAGE is about this mail, and final with a `responseCode` of 500 or more; any other is an outage.
 */
export interface HostTransport {
  sendMail(mail: OutgoingMail & { signal: AbortSignal }): Promise<unknown>
}

/** The sender in parts. Throws TypeError for what is not one address. */
export function parseSender (from: string): Mailbox {
  const [sender, ...others] = addressparser(from, { flatten: true })
  if (sender === undefined || others.length > 0 || !/^[^\s@<>]+@[^\s@<>]+$/.test(sender.address)) {
    throw new TypeError('auth-serve mail: "from" must be one address such as Accounts <accounts@example.com>')
  }
  return sender
}

/** The part of an address after the @. */
export const hostOf = ({ address }: Mailbox): string => address.slice(address.lastIndexOf('@') + 1)
