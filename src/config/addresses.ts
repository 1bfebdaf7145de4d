import { isIP, isIPv4 } from 'node:net'

const proxyNames = new Set(['loopback', 'linklocal', 'uniquelocal'])

/** Whether Fastify's `trustProxy` knows this entry: an address, a network in CIDR notation or one of proxy-addr's names. */
export function isProxyAddress (entry: string): boolean {
  if (proxyNames.has(entry)) return true
  const [address = '', prefix, ...more] = entry.split('/')
  if (isIP(address) === 0 || more.length > 0) return false
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) >= 1 && Number(prefix) <= (isIPv4(address) ? 32 : 128))
}

/** Whether `text` is an http or https URL that paths can be added to: no credentials, query or fragment. */
export function isBaseUrl (text: string): boolean {
  if (!/^https?:\/\/[^\s?#@\\]+$/.test(text)) return false
  return URL.canParse(text)
}

/** Whether `text` is a name or an IP address to listen on, without scheme, brackets or port. */
export function isListeningHost (text: string): boolean {
  return isIP(text) !== 0 || /^[A-Za-z0-9_.-]+$/.test(text)
}

/** Whether postgres.js can read `text`: scheme postgres or postgresql, one host or several with commas between them. */
export function isDatabaseUrl (text: string): boolean {
  if (!/^postgres(ql)?:\/\/\S+$/.test(text)) return false
  const authority = text.slice(text.indexOf('://') + 3).split(/[?/]/)[0] ?? ''
  const hosts = authority.slice(authority.lastIndexOf('@') + 1)
  try {
    // The WHATWG parser knows no lists of hosts; postgres.js shows it the first one only, and decodes the rest itself.
    decodeURIComponent(authority)
    return URL.canParse(text.replace(hosts, hosts.split(',')[0] ?? ''))
  } catch {
    return false
  }
}

/** Whether `text` names an SMTP server, with credentials that can be decoded where there are any. */
export function isSmtpUrl (text: string): boolean {
  try {
    const { protocol, hostname, username, password } = new URL(text)
    decodeURIComponent(username + password)
    return /^smtps?:$/.test(protocol) && hostname !== ''
  } catch {
    return false
  }
}

const everyAddress = new Set(['0.0.0.0', '::', '127.0.0.1', '::1', 'localhost'])

/** The URL of a listening address as a person on that machine would type it. */
export function listeningUrl (host: string, port: number): string {
  if (everyAddress.has(host)) return `http://localhost:${port}`
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}
