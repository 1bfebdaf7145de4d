import { Type, type Static } from '@sinclair/typebox'
import { errorCatalogue, type ErrorCode } from '../errors.ts'

const FieldErrorSchema = Type.Object({
  path: Type.String({ description: 'JSON pointer into the request (RFC 6901), such as /body/email' }),
  code: Type.String(),
  message: Type.String()
})

/** What every non-2xx answer looks like (RFC 9457). Clients ignore members and codes that they do not know. */
export const ProblemSchema = Type.Object({
  type: Type.String({ description: 'urn:auth-serve:error:<CODE>' }),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.String(),
  instance: Type.String({ description: 'Path of the request' }),
  code: Type.String(),
  requestId: Type.String({ description: 'The same as the X-Request-Id header' }),
  errors: Type.Optional(Type.Array(FieldErrorSchema, { description: 'Which fields are wrong; with 409 and 422' }))
}, { title: 'Problem', additionalProperties: true })
export type Problem = Static<typeof ProblemSchema>

/** The `type` of problems with this code. */
export const problemType = (code: ErrorCode): string => `urn:auth-serve:error:${code}`

function problemExample (code: ErrorCode): Problem {
  const { status, title } = errorCatalogue[code]
  return {
    type: problemType(code),
    title,
    status,
    detail: `${title}.`,
    instance: '/path/of/the/request',
    code,
    requestId: '01920000-0000-7000-8000-00000000000f',
    ...code === 'INVALID_INPUT' ? { errors: [{ path: '/body/field', code: 'format', message: 'What to write instead.' }] } : {},
    ...code === 'USER_ALREADY_EXISTS' ? { errors: [{ path: '/body/email', code: 'taken', message: 'Which name is taken.' }] } : {}
  }
}

const retryAfter = Type.Integer({ description: 'Seconds until a retry makes sense (RFC 9110, 10.2.3)' })
const wwwAuthenticate = Type.String({ description: 'The challenge of RFC 6750, 3' })

/** Response schemas, one per status, for an operation that can answer these codes. */
export function problemResponses (codes: Iterable<ErrorCode>): Record<number, unknown> {
  const byStatus = new Map<number, ErrorCode[]>()
  for (const code of new Set(codes)) {
    const { status } = errorCatalogue[code]
    byStatus.set(status, [...byStatus.get(status) ?? [], code])
  }
  return Object.fromEntries([...byStatus].map(([status, ofStatus]) => [status, {
    description: ofStatus.join(', '),
    ...status === 429 || status === 503 ? { headers: { 'Retry-After': retryAfter } } : {},
    ...status === 401 ? { headers: { 'WWW-Authenticate': wwwAuthenticate } } : {},
    content: {
      'application/problem+json': {
        schema: Type.Intersect([
          ProblemSchema,
          Type.Object({ code: Type.Unsafe<ErrorCode>({ type: 'string', enum: ofStatus }) })
        ], { additionalProperties: true }),
        examples: Object.fromEntries(ofStatus.map(code => [code, { value: problemExample(code) }]))
      }
    }
  }]))
}
