import { scan } from 'secure-json-parse'
import { CodedError } from '../errors.ts'

const [quote, backslash, colon] = [0x22, 0x5C, 0x3A]
const [openBracket, closeBracket, openBrace, closeBrace] = [0x5B, 0x5D, 0x7B, 0x7D]

const malformed = (detail: string) => new CodedError('MALFORMED_REQUEST', detail)

export interface JsonLimits {
  /** How many objects and arrays may stand inside one another; `{}` is one level. */
  maxDepth: number
}

/**
 * Reads JSON in the one way that leaves no two readings (RFC 8259, RFC 7493): UTF-8 only, no key twice in an object
 * however it is spelled, no key that reaches a prototype, no depth beyond the limit. Linear in time, no recursion.
 *
 * @throws CodedError MALFORMED_REQUEST that says what to fix and quotes nothing of the input.
 */
export function parseStrictJson (body: Buffer, { maxDepth }: JsonLimits): unknown {
  if (body.length === 0) throw malformed('The body is empty; send a JSON document.')
  const members = countMembers(body, maxDepth)
  const value = parse(decode(body))
  if (value === null || typeof value !== 'object') return value
  // JSON.parse keeps one member of each name, so the value has as many as the text if and only if none came twice.
  if (countOwnKeys(value) !== members) throw malformed('An object in the body has the same key more than once; send each key once.')
  try {
    scan(value, { protoAction: 'error', constructorAction: 'error' })
  } catch {
    throw malformed('The body uses a forbidden key ("__proto__", or "prototype" in "constructor"); leave it out.')
  }
  return value
}

/** Members of all objects in the text: in valid JSON the colons outside strings. ASCII bytes never stand inside a UTF-8 sequence. */
function countMembers (body: Buffer, maxDepth: number): number {
  let members = 0
  let depth = 0
  let inString = false
  for (let i = 0; i < body.length; i++) {
    const byte = body[i]
    if (inString) {
      if (byte === backslash) i++
      else if (byte === quote) inString = false
    } else if (byte === quote) inString = true
    else if (byte === colon) members++
    else if (byte === closeBracket || byte === closeBrace) depth--
    else if (byte === openBracket || byte === openBrace) {
      if (++depth > maxDepth) throw malformed(`The body is nested too deeply; at most ${maxDepth} levels are read.`)
    }
  }
  return members
}

function decode (body: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body)
  } catch {
    throw malformed('The body is not valid UTF-8; send JSON encoded in UTF-8.')
  }
}

function parse (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw malformed('The body is not valid JSON; check quotes, commas and brackets.')
  }
}

function countOwnKeys (root: object): number {
  let keys = 0
  const pending = [root]
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    const children: unknown[] = Object.values(node)
    if (!Array.isArray(node)) keys += children.length
    for (const child of children) if (child !== null && typeof child === 'object') pending.push(child)
  }
  return keys
}
