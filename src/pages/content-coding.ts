export type ContentCoding = 'br' | 'gzip' | 'identity'

/** The best of our codings that this Accept-Encoding takes (RFC 9110, 12.5.3). */
export function chooseCoding (acceptEncoding = ''): ContentCoding {
  const taken = new Set(acceptEncoding.toLowerCase().split(',').flatMap(part => {
    const [coding, ...parameters] = part.split(';').map(piece => piece.trim())
    return coding === undefined || parameters.some(parameter => /^q=0(\.0*)?$/.test(parameter)) ? [] : [coding]
  }))
  return taken.has('br') ? 'br' : taken.has('gzip') ? 'gzip' : 'identity'
}
