/**
 * Whether a request has a header field more than once. Node.js keeps the first of several Authorization fields and a
 * proxy may have judged another, so a repeated one says nothing (RFC 9110, 5.3).
 *
 * @param rawHeaders names and values in turn, as in `IncomingMessage.rawHeaders`.
 * @param name in lower case.
 */
export function isRepeatedField (rawHeaders: readonly string[], name: string): boolean {
  let count = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const field = rawHeaders[index] ?? ''
    if (field.length === name.length && field.toLowerCase() === name) count++
  }
  return count > 1
}
