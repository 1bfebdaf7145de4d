/** How many requests a client may make in a window. */
export interface Quota { name: string, max: number, windowSeconds: number }

/** What is left of a quota in the current window. */
export interface QuotaUse { remaining: number, resetSeconds: number }

/**
 * The header fields of draft-ietf-httpapi-ratelimit-headers (structured fields, RFC 9651): a list of one policy, named
 * by a string, with quota (`q`) and window (`w`), and what is left (`r`) until when (`t`, in seconds).
 */
export function rateLimitFields ({ name, max, windowSeconds }: Quota, { remaining, resetSeconds }: QuotaUse): Record<string, string> {
  return {
    'ratelimit-policy': `"${name}";q=${max};w=${windowSeconds}`,
    ratelimit: `"${name}";r=${remaining};t=${resetSeconds}`
  }
}
