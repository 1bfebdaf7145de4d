import { Type } from '@sinclair/typebox'
import { invalidInput } from '../errors.ts'
import type { Secrets } from '../keys/secrets.ts'
import type { PageQuery } from '../schemas/page.ts'
import { createCursors } from './cursor.ts'
import { toPage } from './to-page.ts'

export interface PagedListOptions<Item> {
  secrets: Secrets
  /** Name of the list; its cursors are good for no other. */
  list: string
  /** The whole list, in its order; it is small. */
  read: () => Promise<readonly Item[]>
  idOf: (item: Item) => string
}

/** One page of a list that is at hand as a whole. Throws CodedError INVALID_INPUT for a cursor that is not of it, or whose item is gone. */
export type PagedList<Item> = (page: PageQuery) => Promise<{ items: Item[], nextCursor: string | null }>

export function createPagedList<Item> ({ secrets, list, read, idOf }: PagedListOptions<Item>): PagedList<Item> {
  const cursors = createCursors({ secrets, list, position: Type.String() })
  return async ({ limit, cursor }) => {
    const after = cursor === undefined ? undefined : cursors.read(cursor, [])
    const all = await read()
    const last = after === undefined ? -1 : all.findIndex(item => idOf(item) === after)
    if (after !== undefined && last === -1) {
      throw invalidInput([{ path: '/query/cursor', code: 'invalid', message: 'The list has changed; leave the cursor out to begin again.' }])
    }
    return toPage(all.slice(last + 1, last + 2 + limit), limit, item => item, item => cursors.write(idOf(item), []))
  }
}
