import { RowRefusal } from './record.ts'

/** A record as JSON or a CSV row gives it. */
export type Raw = Readonly<Record<string, unknown>>

export const isRaw = (value: unknown): value is Raw => typeof value === 'object' && value !== null && !Array.isArray(value)

/** The first of these fields that says something: null and the empty text do not. */
export function valueOf (raw: Raw, names: readonly string[]): { name: string, value: unknown } | undefined {
  for (const name of names) {
    const value = Object.hasOwn(raw, name) ? raw[name] : undefined
    if (value !== undefined && value !== null && value !== '') return { name, value }
  }
  return undefined
}

/** The text in one of these fields. Throws RowRefusal for anything else. */
export function text (raw: Raw, ...names: string[]): string | undefined {
  const found = valueOf(raw, names)
  if (found === undefined) return undefined
  if (typeof found.value !== 'string') throw new RowRefusal(found.name, 'must be text')
  return found.value
}

export function required (raw: Raw, ...names: string[]): string {
  const value = text(raw, ...names)
  if (value === undefined) throw new RowRefusal(names[0] ?? '', 'is missing')
  return value
}

/** An id, which may be a number there. */
export function identifier (raw: Raw, ...names: string[]): string | undefined {
  const value = valueOf(raw, names)?.value
  return typeof value === 'number' ? String(value) : text(raw, ...names)
}

const words: Readonly<Record<string, boolean>> = { true: true, t: true, 1: true, false: false, f: false, 0: false }

/** Yes or no: a boolean, 0 or 1, or what databases write for them. */
export function flag (raw: Raw, ...names: string[]): boolean | undefined {
  const found = valueOf(raw, names)
  if (found === undefined) return undefined
  const value = typeof found.value === 'boolean' ? found.value : words[String(found.value).toLowerCase()]
  if (value === undefined) throw new RowRefusal(found.name, 'must be true or false')
  return value
}

// ISO 8601 with a T or a space, and PostgreSQL's short offset; without an offset it is UTC.
const written = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)\s?(Z|[+-]\d\d(?::?\d\d)?)?)?$/

/** Below this, a count since 1970 is one of seconds: as milliseconds it would be before March 1973. */
const leastMilliseconds = 1e11

/** Reads a moment as text or as a count of milliseconds or seconds since 1970; undefined for what is none. */
export function readMoment (value: unknown): Date | undefined {
  const count = typeof value === 'number' || (typeof value === 'string' && /^\d{9,14}$/.test(value)) ? Number(value) : undefined
  const date = count === undefined ? readWritten(value) : new Date(count < leastMilliseconds ? count * 1000 : count)
  const year = date?.getUTCFullYear() ?? NaN
  return year >= 1900 && year < 10000 ? date : undefined
}

function readWritten (value: unknown): Date | undefined {
  const [, day, time = '00:00', offset = 'Z'] = typeof value === 'string' ? written.exec(value) ?? [] : []
  if (day === undefined || Number.isNaN(Date.parse(`${day}T00:00:00Z`)) || new Date(`${day}T00:00:00Z`).toISOString().slice(0, 10) !== day) return undefined
  const zone = /^[+-]\d\d$/.test(offset) ? `${offset}:00` : offset.replace(/^([+-]\d\d)(\d\d)$/, '$1:$2')
  return new Date(`${day}T${time}${zone}`)
}

/** A moment. Throws RowRefusal for what is none. */
export function moment (raw: Raw, ...names: string[]): Date | undefined {
  const found = valueOf(raw, names)
  if (found === undefined) return undefined
  const date = readMoment(found.value)
  if (date === undefined) throw new RowRefusal(found.name, 'must be a moment such as 2026-01-31T12:00:00Z')
  return date
}

/** An object, or the JSON text of one. */
export function nested (raw: Raw, ...names: string[]): Raw {
  const found = valueOf(raw, names)
  if (found === undefined) return {}
  const value = typeof found.value === 'string' ? parse(found.value) : found.value
  if (!isRaw(value)) throw new RowRefusal(found.name, 'must be a JSON object')
  return value
}

/** A list, empty where the field is absent. */
export function list (raw: Raw, name: string): readonly unknown[] {
  const value = valueOf(raw, [name])?.value ?? []
  if (!Array.isArray(value)) throw new RowRefusal(name, 'must be a list')
  return value
}

/** A list of texts. */
export function texts (raw: Raw, name: string): string[] {
  return list(raw, name).map(value => {
    if (typeof value !== 'string') throw new RowRefusal(name, 'must be a list of texts')
    return value
  })
}

/** The two names of who has only one text for both: the last word is the last name, unless commas say otherwise. */
export function splitName (name: string | undefined): { firstName?: string, lastName?: string } {
  const words = name?.trim().split(/\s+/) ?? []
  const lastName = words.length > 1 && !name?.includes(',') ? words.pop() : undefined
  const firstName = words.join(' ')
  return { ...firstName !== '' && { firstName }, ...lastName !== undefined && { lastName } }
}

function parse (json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}
