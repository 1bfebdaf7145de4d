import { domainToASCII, domainToUnicode } from 'node:url'

// Invisible letters and marks (fillers, joiners, variation selectors) would make two addresses that look the same.
const letter = '(?!\\p{Default_Ignorable_Code_Point})[\\p{L}\\p{M}\\p{N}]'
const atom = `(?:[!#$%&'*+/=?^_\`{|}~\\-]|${letter})+`
const localPart = new RegExp(`^${atom}(?:\\.${atom})*$`, 'u')
const writtenDomain = new RegExp(`^(?:[.\\-]|${letter})+$`, 'u')
const label = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/

/**
 * The form in which e-mail addresses are compared: NFC, lower case, the domain in ASCII. `undefined` when the value is
 * no address that we take: one dot-atom (RFC 5321, 4.1.2; letters of RFC 6531) of at most 64 octets, no quotes, no
 * address literals, at most 254 octets in all. Of look-alike compatibility spellings (full width, ligatures) none is
 * taken. The canonical form of a canonical form is itself.
 */
export function canonicalEmail (value: string): string | undefined {
  // Longer ones cannot fit; said here so that nothing below costs more than a short text does.
  if (value.length > 254) return undefined
  const composed = value.normalize('NFC')
  if (composed !== value.normalize('NFKC')) return undefined
  const at = composed.indexOf('@')
  const local = composed.slice(0, at).toLowerCase().normalize('NFC')
  if (at < 1 || !localPart.test(local) || Buffer.byteLength(local) > 64) return undefined
  const domain = canonicalDomain(composed.slice(at + 1))
  if (domain === undefined) return undefined
  const address = `${local}@${domain}`
  return Buffer.byteLength(address) > 254 ? undefined : address
}

/** Node.js versions differ over invalid Punycode (RFC 3492): some leave it as it is, none decodes it. */
const isDecodable = (part: string): boolean => !part.startsWith('xn--') || !/^(?:xn--|$)/.test(domainToUnicode(part))

function canonicalDomain (written: string): string | undefined {
  // domainToASCII is a URL host parser: it would cut at "/", ":" and "?", decode "%2e" and read "1.2.3" as IPv4.
  if (!writtenDomain.test(written)) return undefined
  const domain = domainToASCII(written)
  const labels = domain.split('.')
  if (labels.length < 2 || !labels.every(part => label.test(part) && isDecodable(part))) return undefined
  return /\.\d+$/.test(domain) ? undefined : domain
}
