import { createTransport } from 'nodemailer'
import { createFileTransport } from './file-transport.ts'
import type { HostTransport, MailTransport } from './outgoing-mail.ts'

export interface TransportOptions {
  transport?: HostTransport
  smtpUrl?: string
  directory?: string
  /** Connections to the SMTP server at most. */
  concurrency: number
  connectionTimeoutMs: number
  greetingTimeoutMs: number
  socketTimeoutMs: number
}

/** A way to send, and what of its settings no error may show. */
export interface ChosenTransport { transport: MailTransport, hidden: string[] }

/** A transport of the host's, which it closes itself. */
const fromHost = (transport: HostTransport): MailTransport => ({
  async send (mail, signal) { await transport.sendMail({ ...mail, signal }) },
  close () {}
})

/**
 * What the URL may set. nodemailer would take any option from there, and set it above those of the code: one that prints
 * the dialogue, or reads files, must not come that way.
 */
const parameters = new Set([
  'requireTLS', 'ignoreTLS', 'tls.rejectUnauthorized', 'tls.servername', 'tls.minVersion', 'authMethod', 'name', 'localAddress', 'lmtp',
  'connectionTimeout', 'greetingTimeout', 'socketTimeout', 'dnsTimeout'
])

/** Who signs in, in clear. Throws TypeError without showing the password. */
function credentialsOf (smtpUrl: string): { user: string, password: string, encoded: string } {
  try {
    const { username, password } = new URL(smtpUrl)
    return { user: decodeURIComponent(username), password: decodeURIComponent(password), encoded: password }
  } catch {
    throw new TypeError('auth-serve mail: smtpUrl is no URL; reserved characters of the password must be percent-encoded (its value is not shown)')
  }
}

function checkParameters (smtpUrl: string): void {
  const unknown = [...new URL(smtpUrl).searchParams.keys()].filter(name => !parameters.has(name))
  if (unknown.length > 0) throw new TypeError(`auth-serve mail: smtpUrl has parameters that it may not have: ${unknown.join(', ')}; it may have ${[...parameters].join(', ')}`)
}

/** The password in every form in which a server or library might repeat it. */
function hiddenOf (smtpUrl: string): string[] {
  const { user, password, encoded } = credentialsOf(smtpUrl)
  const base64 = (text: string): string => Buffer.from(text).toString('base64')
  return [smtpUrl, ...password === '' ? [] : [password, encoded, base64(password), base64(`\0${user}\0${password}`)]]
}

/** A pool of connections to an SMTP server, with TLS and authentication as its URL says. */
function createSmtpTransport (smtpUrl: string, options: TransportOptions): MailTransport {
  const pool = createTransport({
    url: smtpUrl,
    pool: true,
    maxConnections: options.concurrency,
    connectionTimeout: options.connectionTimeoutMs,
    greetingTimeout: options.greetingTimeoutMs,
    socketTimeout: options.socketTimeoutMs,
    dnsTimeout: options.connectionTimeoutMs,
    // A mail says what it says: nothing in it may name a file or an address to be read. And no trace of the dialogue.
    disableFileAccess: true,
    disableUrlAccess: true,
    logger: false
  })
  // What goes wrong with a mail is told by its promise; an event without listener would end the process.
  pool.on('error', () => {})
  return {
    async send (mail, signal) { await pool.sendMail({ ...mail, signal }) },
    close () { pool.close({ force: true }) }
  }
}

/**
 * The way that the options name: that of the host, else the SMTP server, else files; undefined where they name none. Throws
 * TypeError for a URL that is none.
 */
export function chooseTransport (options: TransportOptions): ChosenTransport | undefined {
  const { transport, smtpUrl, directory } = options
  if (transport !== undefined) return { transport: fromHost(transport), hidden: [] }
  if (smtpUrl !== undefined) {
    const hidden = hiddenOf(smtpUrl)
    checkParameters(smtpUrl)
    return { transport: createSmtpTransport(smtpUrl, options), hidden }
  }
  return directory === undefined ? undefined : { transport: createFileTransport(directory), hidden: [] }
}
