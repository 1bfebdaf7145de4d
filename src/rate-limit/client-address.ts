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
