import { ImportError, type OpenSource } from './record.ts'

export const formatNames = ['ndjson', 'csv', 'supabase', 'better-auth', 'keycloak', 'firebase', 'auth0', 'django'] as const
export type FormatName = typeof formatNames[number]

/** Bytes that a look at the beginning takes in. */
const headBytes = 64 * 1024

/** The beginning of a file, as text without a byte order mark. */
export async function readHead (open: OpenSource): Promise<string> {
  const parts: Buffer[] = []
  let length = 0
  for await (const chunk of open()) {
    parts.push(chunk)
    length += chunk.length
    if (length >= headBytes) break
  }
  return Buffer.concat(parts).subarray(0, headBytes).toString('utf8').replace(/^\uFEFF/, '')
}

/** Whether a file is a JSON array, begins with a JSON object, or is something else. */
export async function shapeOf (open: OpenSource): Promise<'array' | 'object' | 'other'> {
  const [first] = (await readHead(open)).trimStart()
  return first === '[' ? 'array' : first === '{' ? 'object' : 'other'
}

const key = (name: string): RegExp => new RegExp(`"${name}"\\s*:`)

/** What only one system writes, in the order in which it is looked for. */
const jsonSigns: ReadonlyArray<[FormatName, readonly RegExp[]]> = [
  ['supabase', [key('encrypted_password')]],
  ['django', [key('model'), key('fields')]],
  ['firebase', [key('localId')]],
  ['keycloak', [key('realm')]],
  ['keycloak', [key('credentials'), key('username')]],
  ['auth0', [key('custom_password_hash')]],
  ['auth0', [key('password_hash')]],
  ['auth0', [key('_id'), key('email')]],
  ['auth0', [key('user_id'), key('email_verified')]],
  ['better-auth', [/"(?:accounts?|providerId|provider_id)"\s*:/]],
  ['ndjson', [/^\s*\{[^\n]*"email"\s*:/, /"(?:emailVerifiedAt|passwordHash|isActive|emailVerified|email)"\s*:/]]
]

function formatOfCsv (head: string): FormatName | undefined {
  const [first = ''] = head.split(/\r?\n/, 1)
  const columns = first.split(',').map(column => column.trim().replace(/^"(.*)"$/, '$1'))
  if (columns.includes('encrypted_password')) return 'supabase'
  if (columns.includes('email')) return 'csv'
  // Firebase writes no header, and 27 columns or a few more: id, address, whether it is verified.
  return columns.length >= 27 && /^(?:true|false)$/.test(columns[2] ?? '') ? 'firebase' : undefined
}

/** The format of a file by a look at its beginning. Throws ImportError where nothing tells. */
export async function recogniseFormat (open: OpenSource): Promise<FormatName> {
  const head = await readHead(open)
  if (head.trim() === '') throw new ImportError('The file is empty.')
  const format = /^\s*[[{]/.test(head)
    ? jsonSigns.find(([, signs]) => signs.every(sign => sign.test(head)))?.[0]
    : formatOfCsv(head)
  if (format === undefined) throw new ImportError(`The format of the file is not to be seen from its beginning: name it with --format (${formatNames.join(', ')}). A CSV file needs a header.`)
  return format
}
