import { isIP } from 'node:net'

/** Some proxies add the client's port, with brackets around IPv6: a new port must not be a new client. */
const withPort = /^(?:\[([^\]]+)\](?::\d+)?|([^:]+):\d+)$/

/**
 * The address that a request is counted under, without port and zone. Whatever is no address, such as what a client
 * wrote into a header that a proxy passed on, is one client together.
 */
export function clientAddress (given: string | undefined): string {
  const match = withPort.exec(given ?? '')
  const [address = ''] = (match?.[1] ?? match?.[2] ?? given ?? '').split('%', 1)
  return isIP(address) === 0 ? 'unknown' : address
}

/** The address as sessions and the trail keep it: IPv4 as such, though it came over an IPv6 socket; null for what is no address. */
export function storedAddress (given: string | undefined): string | null {
  const address = clientAddress(given)
  return address === 'unknown' ? null : address.replace(/^::ffff:(?=\d+\.)/i, '')
}

/** Groups of an IPv6 address that name the network that a client is given: a /64 (RFC 6177). */
const networkGroups = 4

const groupsOf = (part: string): string[] => part === '' ? [] : part.split(':')

/** What failures of an address are counted under: IPv4 as it is, of IPv6 the /64, since a client has all of that. `unknown` where there is none. */
export function clientNetwork (address: string | null): string {
  const stored = storedAddress(address ?? undefined)
  if (stored === null || isIP(stored) === 4) return stored ?? 'unknown'
  // Every spelling of an address becomes one (RFC 5952).
  const [head = '', tail = ''] = new URL(`http://[${stored}]`).hostname.slice(1, -1).split('::')
  const [before, after] = [groupsOf(head), groupsOf(tail)]
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0')
  return `${[...before, ...zeros, ...after].slice(0, networkGroups).join(':')}::/64`
}
