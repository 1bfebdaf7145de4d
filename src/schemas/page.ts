import { Type, type Static, type TArray, type TNull, type TObject, type TSchema, type TString, type TUnion } from '@sinclair/typebox'
import { Nullable } from './nullable.ts'
import { StrictObject } from './strict.ts'

export type TPage<T extends TSchema> = TObject<{ items: TArray<T>, nextCursor: TUnion<[TString, TNull]> }>

/** A response that is one page of a list; every list of the API has this shape. The title of the items names it: UserPage. */
export function Page<T extends TSchema> (item: T, description: string): TPage<T> {
  return Type.Object({
    items: Type.Array(item),
    nextCursor: Nullable(Type.String({ description: 'Opaque; null on the last page' }))
  }, { title: `${item.title ?? 'Item'}Page`, 'x-response-description': description })
}

/** Longest cursor that is taken; an e-mail address in a position needs a thousand. */
const cursorMaxLength = 2048

const limit = Type.Integer({ minimum: 1, maximum: 200, default: 50, description: 'Items of a page at most' })
const cursor = Type.Optional(Type.String({
  minLength: 1,
  maxLength: cursorMaxLength,
  pattern: '^[A-Za-z0-9._-]*$',
  description: 'The `nextCursor` of the page before, with the same filters and order',
  'x-message': 'Give the nextCursor of a page as it is.'
}))

/** The query of a list: which page of it. One with filters adds them: `StrictObject({ ...PageQuerySchema.properties, ... })`. */
export const PageQuerySchema = StrictObject({ limit, cursor })
export type PageQuery = Static<typeof PageQuerySchema>
