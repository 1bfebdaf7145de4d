import { Type, type TArray, type TNull, type TObject, type TSchema, type TString, type TUnion } from '@sinclair/typebox'
import { Nullable } from './nullable.ts'

export type TPage<T extends TSchema> = TObject<{ items: TArray<T>, nextCursor: TUnion<[TString, TNull]> }>

/** A response that is one page of a list; every list of the API has this shape. The title of the items names it: UserPage. */
export function Page<T extends TSchema> (item: T, description: string): TPage<T> {
  return Type.Object({
    items: Type.Array(item),
    nextCursor: Nullable(Type.String({ description: 'Opaque; null on the last page' }))
  }, { title: `${item.title ?? 'Item'}Page`, 'x-response-description': description })
}
