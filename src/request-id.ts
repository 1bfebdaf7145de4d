import type { IncomingHttpHeaders } from 'node:http'
import { v7 as uuidv7 } from 'uuid'

/** The part of a raw request that ids are taken from. */
export interface RawRequest { readonly headers: IncomingHttpHeaders }

interface RequestIds { readonly requestId: string, readonly correlationId: string }

/** What an id from outside may look like: safe in a header, a log line, a shell and a URL. */
const acceptable = /^[A-Za-z0-9._-]{1,128}$/

/** A repeated header arrives as an array or joined by a comma; which one was meant is not ours to guess. */
const accepted = (value: string | string[] | undefined): string | undefined =>
  typeof value === 'string' && acceptable.test(value) ? value : undefined

/** The id of a request: its `X-Request-Id`, else its `X-Correlation-Id`, where acceptable; otherwise a new UUIDv7. */
export function requestIdFrom (headers: IncomingHttpHeaders): string {
  return accepted(headers['x-request-id']) ?? accepted(headers['x-correlation-id']) ?? uuidv7()
}

/** The id that ties several requests together: the `X-Correlation-Id` where acceptable, otherwise the request's own id. */
export function correlationIdFrom (headers: IncomingHttpHeaders, requestId: string): string {
  return accepted(headers['x-correlation-id']) ?? requestId
}

const known = new WeakMap<RawRequest, RequestIds>()

function idsOf (raw: RawRequest): RequestIds {
  const before = known.get(raw)
  if (before !== undefined) return before
  const requestId = requestIdFrom(raw.headers)
  const ids = { requestId, correlationId: correlationIdFrom(raw.headers, requestId) }
  known.set(raw, ids)
  return ids
}

/**
 * The one id of a raw request, however often and by whomever it is asked: as Fastify's `genReqId` and by plugins inside
 * a host whose `request.id` is something else. Without a request (a broken one, on a bare socket) it is new each time.
 */
export function requestIdOf (raw: RawRequest | undefined): string {
  return raw === undefined ? uuidv7() : idsOf(raw).requestId
}

/** The one correlation id of a raw request; see `correlationIdFrom`. */
export function correlationIdOf (raw: RawRequest): string {
  return idsOf(raw).correlationId
}
