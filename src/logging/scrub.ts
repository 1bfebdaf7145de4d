const replacement = '[redacted]'

/**
 * What never stands in a log, wherever it comes from. Each pattern is matched against JSON text, in linear time: it
 * begins with a literal that cannot recur in what it then repeats, captures nothing, and takes no `"` and no part of an
 * escape, so that what is left is JSON still.
 */
export const secretPatterns: readonly RegExp[] = [
  // JWTs (RFC 7519), whole or cut, and every other JSON object in base64url: all begin with `{"`.
  /eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)*/,
  // Bearer credentials (RFC 6750, 2.1).
  /(?:[Bb]earer|BEARER) +[A-Za-z0-9._~+/=-]+/,
  // User and password of a URL (RFC 3986, 3.2.1); its host stays.
  /(?<=:\/\/)(?:[^\s/?#"\\]|\\[^/])+(?=@)/,
  // Password hashes as PHC or crypt strings.
  /\$(?:argon2|scrypt|pbkdf2|2[abxy]\$)[A-Za-z0-9$=,./+_-]*/,
  // Refresh tokens of this service.
  /asr_[A-Za-z0-9._-]{16,}/,
  // Private keys in PEM (RFC 7468), also with their line ends escaped once more.
  /-----BEGIN [A-Z ]*PRIVATE KEY-----(?:[A-Za-z0-9+/=\s-]|\\+[nr])*/,
  // The message of drizzle's DrizzleQueryError: the SQL and its parameters, to the end of the text.
  /Failed query: (?:[^"\\]|\\.)*/
]

/**
 * Makes a function that replaces what the patterns match in a line of JSON. Escapes are stepped over as a whole:
 * otherwise `\u000eyJ...` (a control character, then text) would lose half of its escape and the line its validity.
 */
export function createScrubber (patterns: readonly RegExp[]): (line: string) => string {
  const secrets = new RegExp(['\\\\(?:u[0-9a-f]{4}|.)', ...patterns.map(pattern => pattern.source)].join('|'), 'g')
  return line => line.replace(secrets, match => match.startsWith('\\') ? match : replacement)
}

/** Replaces everything that looks like a secret in a line of JSON, which stays JSON. */
export const scrubLine = createScrubber(secretPatterns)

/** Replaces everything that looks like a secret in plain text. */
export function scrubText (text: string): string {
  const json = JSON.stringify(text)
  const scrubbed = scrubLine(json)
  return scrubbed === json ? text : String(JSON.parse(scrubbed))
}

/** Scrubbed text of at most `maxLength` characters and an ellipsis; scrubbed first, as half a secret is not recognised. */
export function safeText (text: string, maxLength: number): string {
  const scrubbed = scrubText(text)
  return scrubbed.length > maxLength ? `${scrubbed.slice(0, maxLength)}…` : scrubbed
}
