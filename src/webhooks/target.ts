import { lookup, type LookupAddress } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import ipaddr from 'ipaddr.js'

/** An address that is not to be reached, or a URL that leads nowhere; the message shows neither. */
export class TargetRefusedError extends Error {
  override readonly name = 'TargetRefusedError'
}

/** Public by its range, and yet what a cloud gives its machines: the wire server of Azure. */
const metadataAddresses = new Set(['168.63.129.16'])
/** The unicast addresses of the internet (RFC 4291, 2.4); the rest of IPv6 is for purposes of its own, or for none yet. */
const globalUnicast = ipaddr.parseCIDR('2000::/3')

/**
 * Whether an address is one of the public internet: not private, loopback, link-local, shared (RFC 6598), multicast,
 * reserved, or an IPv6 address that stands for an IPv4 one.
 */
export function isPublicAddress (address: string): boolean {
  if (!ipaddr.isValid(address) || metadataAddresses.has(address)) return false
  const parsed = ipaddr.parse(address)
  return parsed.range() === 'unicast' && (parsed.kind() === 'ipv4' || parsed.match(globalUnicast))
}

/** The host of a URL, an IPv6 address without its brackets. URL has made every spelling of an IPv4 address the usual one. */
const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[(.*)\]$/, '$1')

/** A name of this machine itself (RFC 6761, 6.3). */
const isLocalName = (host: string): boolean => /(?:^|\.)localhost\.?$/.test(host)

/** Why events must not go to this URL, in a sentence; undefined where they may, as far as can be told before its name is looked up. */
export function problemOfTarget (text: string, allowPrivate: boolean): string | undefined {
  if (!URL.canParse(text)) return 'This is no URL.'
  const url = new URL(text)
  if (url.protocol !== 'https:' && !(allowPrivate && url.protocol === 'http:')) return 'Use https.'
  if (url.username !== '' || url.password !== '') return 'Leave user and password out: what is sent is signed.'
  if (text.includes('#')) return 'Leave the fragment out.'
  const host = hostOf(url)
  return allowPrivate || (isIP(host) === 0 ? !isLocalName(host) : isPublicAddress(host)) ? undefined : 'Name a host at a public address.'
}

/**
 * Looks a name up for a connection that is about to be made, and refuses it where any address is not public: so a name
 * that changed its address since it was looked at (DNS rebinding) leads nowhere else.
 */
export const lookupPublic: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, found) => {
    const addresses: LookupAddress[] = found ?? []
    const [first] = addresses
    const refused = error ?? (first !== undefined && addresses.every(({ address }) => isPublicAddress(address)) ? null : new TargetRefusedError('the address is not public'))
    if (refused !== null || first === undefined) callback(refused, '')
    else if (options.all === true) callback(null, addresses)
    else callback(null, first.address, first.family)
  })
}
