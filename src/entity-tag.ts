/** Whether a client holds what has this strong entity tag already: its If-None-Match, compared weakly (RFC 9110, 13.1.2). */
export function isHeld (etag: string, ifNoneMatch: string | undefined): boolean {
  return ifNoneMatch?.split(',').some(tag => ['*', etag, `W/${etag}`].includes(tag.trim())) === true
}
