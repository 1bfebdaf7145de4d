import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Static, TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { invalidInput } from '../errors.ts'
import type { Secret, Secrets } from '../keys/secrets.ts'

/** Whom and what a page was made for, beside the list itself: who asks, and the filters and order of the list. */
export type CursorBinding = readonly (string | null)[]

/** The cursors of one list. */
export interface Cursors<T> {
  /** Writes the place after which the next page begins. It is authenticated, not encrypted: whoever holds it can read it. */
  write(position: T, binding: CursorBinding): string
  /** Reads one. Throws CodedError INVALID_INPUT at `/query/cursor` unless it was written for this list and binding. */
  read(cursor: string, binding: CursorBinding): T
}

export interface CursorOptions<T extends TSchema> {
  secrets: Secrets
  /** Name of the list; its cursors are good for no other. */
  list: string
  /** What a position is, as JSON. A cursor of an earlier release that held something else is refused. */
  position: T
}

/** `<key id>.<position>.<mac>`, in base64url. */
const format = /^([A-Za-z0-9_-]{8})\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{43})$/

const refused = () => invalidInput([{
  path: '/query/cursor', code: 'invalid', message: 'Give the nextCursor of a page of this very list, or leave it out to begin again.'
}])

/** Makes the cursors of a list: keyset positions under a MAC that is keyed from AUTH_SECRET. */
export function createCursors<T extends TSchema> ({ secrets, list, position: schema }: CursorOptions<T>): Cursors<Static<T>> {
  // As JSON, so that no two different parts run together to the same text.
  const macOf = (secret: Secret, text: string, binding: CursorBinding): string =>
    createHmac('sha256', secret.derive('cursor')).update(JSON.stringify([list, binding, text])).digest('base64url')

  return {
    write (position, binding) {
      const text = Buffer.from(JSON.stringify(position)).toString('base64url')
      return `${secrets.current.id}.${text}.${macOf(secrets.current, text, binding)}`
    },
    read (cursor, binding) {
      const [, keyId, text, mac] = format.exec(cursor) ?? []
      if (keyId === undefined || text === undefined || mac === undefined) throw refused()
      const secret = secrets.find(keyId)
      // The texts are compared, not the bytes that they spell, so that a cursor has one spelling.
      if (secret === undefined || !timingSafeEqual(Buffer.from(macOf(secret, text, binding)), Buffer.from(mac))) throw refused()
      const position: unknown = JSON.parse(Buffer.from(text, 'base64url').toString())
      if (!Value.Check(schema, position)) throw refused()
      return position
    }
  }
}
