const jsonType = /^[ \t]*application\/(?:[\w!#$%&'*+.^`|~-]+\+)?json[ \t]*(?=;|$)/iy
const parameter = /;[ \t]*(?:([\w!#$%&'*+.^`|~-]+)=("(?:[^"\\]|\\.)*"|[\w!#$%&'*+.^`|~-]+))?[ \t]*/y

/**
 * Whether a Content-Type is JSON in UTF-8: `application/json` or `application/*+json` with well-formed parameters
 * (RFC 9110, 5.6.6) of which `charset`, where present, says utf-8. Fastify's own reading skips what it cannot parse,
 * so `charset = utf-16` would pass for no charset at all.
 */
export function isJsonMediaType (contentType: string): boolean {
  jsonType.lastIndex = 0
  if (!jsonType.test(contentType)) return false
  let position = jsonType.lastIndex
  while (position < contentType.length) {
    parameter.lastIndex = position
    const [whole, name, value] = parameter.exec(contentType) ?? []
    if (whole === undefined) return false
    if (name?.toLowerCase() === 'charset' && !/^"?utf-8"?$/i.test(value ?? '')) return false
    position += whole.length
  }
  return true
}
